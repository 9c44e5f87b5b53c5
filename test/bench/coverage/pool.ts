import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { CellResult, Task } from './cell.js';

/**
 * Simulates tasks in as many threads as there are cores.
 * @returns the cells of every task, in the order of the tasks.
 */
export async function simulateAll(
  tasks: readonly Task[],
  onDone: (done: number, total: number) => void,
): Promise<CellResult[]> {
  const results: CellResult[][] = [];
  let next = 0;
  let done = 0;
  const work = async () => {
    const worker = new Worker(new URL('./worker.mjs', import.meta.url));
    try {
      while (next < tasks.length) {
        const index = next;
        next += 1;
        results[index] = await answerOf(worker, tasks[index]);
        done += 1;
        onDone(done, tasks.length);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), tasks.length) }, work));
  return results.flat();
}

function answerOf(worker: Worker, task: Task | undefined): Promise<CellResult[]> {
  return new Promise((resolve, reject) => {
    const onMessage = (cells: CellResult[]) => {
      worker.off('error', reject);
      resolve(cells);
    };
    worker.once('message', onMessage);
    worker.once('error', reject);
    worker.postMessage(task);
  });
}
