import { closeSync, fsyncSync, linkSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { exportsFolder } from '../../../src/lake/files/partition.js';
import { LocalStorage } from '../../../src/lake/storage/local.js';
import { appendRun } from '../../../src/lake/writer.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { median } from '../measure.js';
import { sampleRow } from './sample-lake.js';
import type { Scene } from './scene.js';

const RUNS = 301;
const WARM_UP = 100;

/** Appends a run after another, each durable before the next, in turn with what the disk alone takes for the same bytes. */
export const scene: Scene = {
  async play() {
    const dataDir = makeTempFolder();
    const exportsDir = exportsFolder(dataDir);
    const storage = new LocalStorage(exportsDir);
    const first = await appendRun(storage, sampleRow(0, 1));
    const bytes = readFileSync(join(exportsDir, first));
    const [appends, bares]: [Taken[], Taken[]] = [[], []];
    for (let number = 1; number <= WARM_UP + RUNS; number += 1) {
      const row = sampleRow(number, 1);
      const append = await take(() => appendRun(storage, row));
      const bare = await take(() => publishBare(dataDir, `bare-${number}`, bytes));
      if (number <= WARM_UP) continue;
      appends.push(append);
      bares.push(bare);
    }
    removeFolder(dataDir);
    const ms = (takes: readonly Taken[]) => median(takes.map(({ wallMs }) => wallMs));
    const cpu = (takes: readonly Taken[]) =>
      (takes.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / takes.length).toFixed(2);
    const worst = Math.max(...appends.map(({ wallMs }) => wallMs)).toFixed(1);
    const detail = `one day, with fsync; ${cpu(appends)} ms CPU; the disk alone ${ms(bares).toFixed(2)} ms, ${cpu(bares)} ms CPU; worst of ${RUNS}: ${worst} ms`;
    return [{ name: 'append of one run', value: ms(appends), unit: 'ms', limit: 2.5, detail }];
  },
};

interface Taken {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function take(work: () => unknown): Promise<Taken> {
  const before = process.cpuUsage();
  const started = performance.now();
  await work();
  const wallMs = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  return { wallMs, cpuMs: (user + system) / 1_000 };
}

/** The least that makes a new file durable under a name that must be free. */
function publishBare(folder: string, name: string, bytes: Uint8Array): void {
  const path = join(folder, name);
  const file = openSync(`${path}.tmp`, 'wx');
  writeSync(file, bytes);
  fsyncSync(file);
  closeSync(file);
  linkSync(`${path}.tmp`, path);
  unlinkSync(`${path}.tmp`);
  const directory = openSync(folder, 'r');
  fsyncSync(directory);
  closeSync(directory);
}
