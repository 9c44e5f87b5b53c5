import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256Hex } from '../../src/base/canonical.js';
import { systemClock } from '../../src/base/time.js';

import { loadBank } from '../../src/handlers/banks.js';
import { Accounts, Lanes } from '../../src/handlers/context.js';
import { invoke } from '../../src/handlers/index.js';
import { ask } from '../../src/models/ask.js';
import { Pacing } from '../../src/models/pacing.js';
import { resolveModel } from '../../src/models/resolve.js';
import { readFingerprint } from '../../src/operational/schema/fingerprint/read.js';
import { openResearchStore } from '../../src/research/open.js';
import { type EstimatorSample, estimate } from '../../src/rpl/estimator.js';
import { DEFAULT_OPTIONS, planMeasurement } from '../../src/rpl/plan.js';
import { Prng } from '../../src/rpl/prng.js';
import { probabilityOf } from '../../src/rpl/statistics.js';
import { createTestDatabase, makeTempFolder, makeTestSettings } from '../helpers.js';
import { dumpPeaks } from './dump.js';
import { guardCost } from './guard.js';
import { compareProcesses, type Figure, median, printFigures, timeMs } from './measure.js';

const BIN = join(fileURLToPath(new URL('../../', import.meta.url)), 'bin', 'hx.js');

function startUp(): Figure {
  const { ms, baselineMs, ratio } = compareProcesses(
    [process.execPath, BIN, '--help'],
    [process.execPath, '-e', '0'],
    21,
  );
  const detail = `${ms.toFixed(0)} ms against ${baselineMs.toFixed(0)} ms of node -e 0, 21 pairs`;
  return { name: 'hx --help', value: ratio, unit: 'x', limit: 1.6, detail };
}

async function interval(estimator: 'rpl-1' | 'rpl-2'): Promise<Figure> {
  const prng = new Prng(1n);
  const samples: EstimatorSample[] = Array.from({ length: 32 }, (_, index) => ({
    template: `t${index >> 1}`,
    replicate: index & 1,
    prob_true: probabilityOf(prng.normal()),
  }));
  const work = () => estimate(samples, { estimator, resamples: 5_000, seed: 1n });
  const times = await timeMs(work, { runs: 101, warmUp: 10 });
  const detail = `B=5000, T=16, R=2; worst of 101: ${Math.max(...times).toFixed(1)} ms`;
  return { name: `interval, ${estimator}`, value: median(times), unit: 'ms', limit: 5, detail };
}

async function simulatedCheck(): Promise<Figure> {
  const { url, drop } = await createTestDatabase({ environment: 'local' });
  const settings = makeTestSettings({ DATABASE_URL: url, dataDir: makeTempFolder() });
  const { signal } = new AbortController();
  const emit = () => {};
  const lanes = new Lanes(settings, signal, emit);
  const context = { settings, clock: systemClock, signal, emit, lanes, accounts: new Accounts() };
  await lanes.database();
  let number = 0;
  const work = () => {
    number += 1;
    return invoke('check', { claim: `Claim number ${number}`, model: 'simulator/default' }, context);
  };
  const times = await timeMs(work, { runs: 31, warmUp: 5 });
  await lanes.close();
  await drop();
  const detail = `K=16 R=2, Postgres on loopback; worst of 31: ${Math.max(...times).toFixed(0)} ms`;
  return { name: 'simulated check in process', value: median(times), unit: 'ms', limit: 60, detail };
}

/** Looks the 32 samples of a run up among those of 1,000 runs. */
async function sampleLookups(): Promise<Figure> {
  const store = await openResearchStore(makeTempFolder());
  const startedAt = new Date();
  const begin = (index: number) =>
    store.beginExecution({
      executionId: `e${index}`,
      newRunId: `r${index}`,
      configHash: `c${index}`,
      baseHash: `c${index}`,
      repeat: 0,
      startedAt,
    });
  const keysOf = (run: number) => Array.from({ length: 32 }, (_, index) => sha256Hex(`${run}/${index}`));
  for (let run = 0; run < 1_000; run += 1) {
    store.appendAttempts(
      begin(run),
      keysOf(run).map((sampleKey, index) => ({
        sampleKey,
        templateId: `t${index >> 1}`,
        replicate: index & 1,
        ordinal: 1,
        status: 'valid',
        probTrue: 0.5,
        answerText: '{}'.padEnd(300),
        problem: null,
        modelResolved: null,
        systemFingerprint: null,
        tokensIn: null,
        tokensOut: null,
        startedAt,
        latencyMs: 1,
      })),
    );
  }
  let run = 0;
  const work = () => {
    run = (run + 379) % 1_000;
    if (store.attemptsFor(keysOf(run)).length !== 32) throw new Error('answers are missing');
  };
  const times = await timeMs(work, { runs: 201, warmUp: 20 });
  store.close();
  const detail = `among 32,000 answers; worst of 201: ${Math.max(...times).toFixed(2)} ms`;
  return { name: '32 sample lookups', value: median(times), unit: 'ms', limit: 1, detail };
}

/** A whole simulated run as a process of its own, from start to its row in the lake. */
async function simulatedProcess(): Promise<Figure> {
  const folder = makeTempFolder();
  let number = 0;
  const work = () => {
    number += 1;
    const argv = [BIN, 'research', `Claim number ${number}`, '--model', 'simulator/default'];
    execFileSync(process.execPath, argv, {
      stdio: 'ignore',
      env: { PATH: process.env['PATH'], HX_DATA_DIR: folder },
    });
  };
  const times = await timeMs(work, { runs: 15, warmUp: 2 });
  const detail = `K=16 R=2, SQLite and Parquet; worst of 15: ${Math.max(...times).toFixed(0)} ms`;
  return { name: 'simulated run, process', value: median(times) / 1_000, unit: 's', limit: 0.35, detail };
}

async function fixedLatency(): Promise<Figure> {
  const settings = makeTestSettings({ dataDir: makeTempFolder() });
  const model = await resolveModel('simulator/slow', settings);
  const { samples } = planMeasurement({
    environment: 'local',
    claim: 'Tides are caused by the moon',
    identity: model.identity,
    bank: await loadBank('plain', settings.folder),
    answerSchema: {},
    options: DEFAULT_OPTIONS,
  });
  const work = async () => {
    const { signal } = new AbortController();
    const { decoding } = DEFAULT_OPTIONS;
    const pacing = new Pacing({ concurrency: 16 });
    let answers = 0;
    for await (const _ of ask({ model, samples, decoding, pacing, signal, clock: systemClock })) answers += 1;
    if (answers !== samples.length) throw new Error(`${answers} answers to ${samples.length} samples`);
  };
  const times = await timeMs(work, { runs: 5, warmUp: 1 });
  const ms = median(times);
  const detail = `${ms.toFixed(0)} ms against two rounds of 300 ms`;
  return { name: '32 calls of 300 ms, 16 wide', value: ms / 600, unit: 'x', limit: 1.15, detail };
}

async function fingerprint(): Promise<Figure> {
  const { sql, drop } = await createTestDatabase();
  const { objects } = await readFingerprint(sql);
  const times = await timeMs(() => readFingerprint(sql), { runs: 51, warmUp: 5 });
  await drop();
  const detail = `${objects.length} objects; worst of 51: ${Math.max(...times).toFixed(0)} ms`;
  return { name: 'fingerprint of a schema', value: median(times), unit: 'ms', limit: 50, detail };
}

const figures = [
  startUp(),
  await interval('rpl-2'),
  await interval('rpl-1'),
  await simulatedCheck(),
  await simulatedProcess(),
  await sampleLookups(),
  await fixedLatency(),
  await fingerprint(),
  ...(await guardCost()),
  ...(await dumpPeaks()),
];
printFigures(figures);
if (figures.some(({ value, limit }) => value > limit)) process.exitCode = 1;
