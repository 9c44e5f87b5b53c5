import { ask } from '../../src/models/ask.js';
import { Pacing } from '../../src/models/pacing.js';
import { Prng } from '../../src/rpl/prng.js';
import { modelAt, optionsFor } from '../models/samples.js';
import { type Behaviour, startModelServer } from '../models/server.js';

const WIDTH = 16;
const LATENCY_MS = 200;
const LIMIT_PER_SECOND = 50;

type Respond = (request: { readonly atMs: number }) => Behaviour;

interface Scene {
  readonly name: string;
  readonly samples: number;
  readonly respond: Respond;
  /** What the best caller would need for all calls that were made, in milliseconds. */
  readonly idealMs: (calls: { readonly made: number; readonly answered: number }) => number;
  /** Times the ideal, and share of calls turned away, at most. */
  readonly limits: { readonly ratio: number; readonly rejected: number };
}

function rejection(status: number, retryAfter: string | undefined): Behaviour {
  return {
    type: 'error',
    status,
    ...(retryAfter === undefined ? {} : { headers: { 'retry-after': retryAfter } }),
  };
}

/** One call in ten fails, whatever the load: 429 and 503 in turn. */
function scattered(retryAfter?: string): Respond {
  const prng = new Prng(7n);
  let faults = 0;
  return () => {
    if (prng.below(10) !== 0) return { type: 'good' };
    faults += 1;
    return rejection(faults % 2 === 0 ? 503 : 429, retryAfter);
  };
}

/** Takes so many calls within any second, and turns the rest away. */
function limited(retryAfter?: string): Respond {
  const taken: number[] = [];
  return ({ atMs }) => {
    while ((taken[0] ?? atMs) <= atMs - 1_000) taken.shift();
    if (taken.length >= LIMIT_PER_SECOND) return rejection(429, retryAfter);
    taken.push(atMs);
    return { type: 'good' };
  };
}

const byWidth: Scene['idealMs'] = ({ made }) => (made / WIDTH) * LATENCY_MS;
const byLimit: Scene['idealMs'] = ({ answered }) => (answered / LIMIT_PER_SECOND) * 1_000;
const FREE = { idealMs: byWidth, samples: 2_000 };
const LIMITED = { idealMs: byLimit, samples: 1_000, limits: { ratio: 1.5, rejected: 0.15 } };
const FAULTY = { ...FREE, limits: { ratio: 1.3, rejected: 0.15 } };

const SCENES: readonly Scene[] = [
  { ...FREE, name: 'no faults', respond: () => ({ type: 'good' }), limits: { ratio: 1.3, rejected: 0 } },
  { ...FAULTY, name: '10 % mix of 429 and 503', respond: scattered() },
  { ...FAULTY, name: '10 % mix, Retry-After: 1', respond: scattered('1') },
  { ...LIMITED, name: 'limit of 50 calls/s', respond: limited() },
  { ...LIMITED, name: 'limit of 50 calls/s, Retry-After: 1', respond: limited('1') },
];

/** Plays a scene and prints its line. @returns whether it kept to its limits. */
async function play({ name, samples, respond, idealMs, limits }: Scene): Promise<boolean> {
  const server = await startModelServer({ respond, latencyMs: LATENCY_MS });
  const model = await modelAt(server, 'compatible');
  const answers = new Map<string, number>();
  let made = 0;
  // Real jitter, as the time is what is measured.
  const options = { ...optionsFor(model, samples), pacing: new Pacing({ concurrency: WIDTH }) };
  const startedMs = performance.now();
  for await (const { sampleKey, status } of ask(options)) {
    made += 1;
    if (status === 'valid') answers.set(sampleKey, (answers.get(sampleKey) ?? 0) + 1);
  }
  const takenMs = performance.now() - startedMs;
  await server.close();
  const answered = [...answers.values()].reduce((sum, count) => sum + count, 0);
  const ratio = takenMs / idealMs({ made, answered });
  const rejected = (made - answered) / made;
  const lost = samples - answers.size;
  const duplicate = answered - answers.size;
  const isGood =
    ratio <= limits.ratio && rejected <= limits.rejected && lost + duplicate + server.calls.length === made;
  process.stdout.write(
    `${name.padEnd(36)} ${ratio.toFixed(2)} x ideal (<= ${limits.ratio})  ` +
      `${(100 * rejected).toFixed(1).padStart(4)} % rejected  lost ${lost}  duplicate ${duplicate}  ` +
      `${made} calls in ${(takenMs / 1_000).toFixed(1)} s  ${isGood ? 'ok' : 'OVER'}\n`,
  );
  return isGood;
}

const results: boolean[] = [];
const [only = ''] = process.argv.slice(2);
for (const scene of SCENES.filter(({ name }) => name.includes(only))) results.push(await play(scene));
if (results.includes(false)) process.exitCode = 1;
