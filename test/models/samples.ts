import { systemClock } from '../../src/base/time.js';
import type { AskOptions } from '../../src/models/ask.js';
import { ask } from '../../src/models/ask.js';
import type { Model } from '../../src/models/model.js';
import { resolveModel } from '../../src/models/resolve.js';
import type { Attempt, PlannedSample } from '../../src/rpl/sample.js';
import { makeTestSettings } from '../helpers.js';
import type { ModelServer } from './server.js';

export const DECODING = { temperature: 0.7, maxOutputTokens: 512 };

/** Planned samples with distinct keys: two replicates of each template. */
export function makeSamples(count: number, claim = 'Water is wet.'): PlannedSample[] {
  return Array.from({ length: count }, (_, index) => ({
    sampleKey: `key-${index}`,
    templateId: `t${Math.floor(index / 2)}`,
    replicate: index % 2,
    claim,
    system: 'Answer in JSON.',
    user: `Wording ${index}: ${claim}`,
  }));
}

/** A model behind the test server, by either wire format. */
export function modelAt(
  server: { readonly baseUrl: string },
  provider: 'openai' | 'compatible',
  name = 'test-model',
): Promise<Model> {
  const settings = makeTestSettings({
    OPENAI_API_KEY: 'sk-test-0123456789abcdef',
    OPENAI_BASE_URL: server.baseUrl,
    HX_COMPATIBLE_BASE_URL: server.baseUrl,
    HX_COMPATIBLE_API_KEY: 'compatible-secret',
  });
  return resolveModel(`${provider}/${name}`, settings);
}

export function optionsFor(model: Model, count: number, more: Partial<AskOptions> = {}): AskOptions {
  return {
    model,
    samples: makeSamples(count),
    decoding: DECODING,
    concurrency: 16,
    signal: new AbortController().signal,
    clock: systemClock,
    // Backoff without waiting, so that tests about other things stay quick.
    random: () => 0,
    ...more,
  };
}

export interface Asked {
  readonly attempts: Attempt[];
  readonly error: unknown;
}

/** Runs `ask` to its end, keeping both what came and what was thrown. */
export async function askAll(options: AskOptions): Promise<Asked> {
  const attempts: Attempt[] = [];
  try {
    for await (const attempt of ask(options)) attempts.push(attempt);
    return { attempts, error: undefined };
  } catch (error) {
    return { attempts, error };
  }
}

/** Runs work against a server, and closes it whatever happens. */
export async function withServer(
  starting: Promise<ModelServer>,
  work: (server: ModelServer) => Promise<void>,
): Promise<void> {
  const server = await starting;
  try {
    await work(server);
  } finally {
    await server.close();
  }
}

/** Counts of a list's values. */
export function tally(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
