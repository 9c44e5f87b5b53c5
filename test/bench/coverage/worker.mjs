import { parentPort } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

// Node hands --import on to a thread, but tsx does not act on it there.
register();
const { simulate } = await import('./cell.ts');
parentPort.on('message', (task) => parentPort.postMessage(simulate(task)));
