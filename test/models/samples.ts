import { systemClock } from '../../src/base/time.js';
import { Account, type MinuteLimits } from '../../src/models/account.js';
import type { AskOptions } from '../../src/models/ask.js';
import { ask } from '../../src/models/ask.js';
import type { Model } from '../../src/models/model.js';
import { Pacing, type PacingOptions } from '../../src/models/pacing.js';
import { resolveModel } from '../../src/models/resolve.js';
import type { Attempt, PlannedSample } from '../../src/rpl/sample.js';
import { makeTestSettings } from '../helpers.js';
import type { ModelServer } from './server.js';
import type { WireName } from './wire.js';

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

/** Settings under which every provider is the test server. */
export function serverVariables(origin: string): Record<string, string> {
  return {
    OPENAI_API_KEY: 'sk-test-0123456789abcdef',
    OPENAI_BASE_URL: `${origin}/v1`,
    ANTHROPIC_API_KEY: 'anthropic-secret',
    ANTHROPIC_BASE_URL: origin,
    GEMINI_API_KEY: 'google-secret',
    GOOGLE_GEMINI_BASE_URL: origin,
    XAI_API_KEY: 'xai-secret',
    XAI_BASE_URL: `${origin}/xai`,
    HX_COMPATIBLE_BASE_URL: `${origin}/v1`,
    HX_COMPATIBLE_API_KEY: 'compatible-secret',
  };
}

/** A model behind the test server, by any provider's wire format. */
export function modelAt(
  server: { readonly origin: string },
  provider: WireName,
  name = 'test-model',
): Promise<Model> {
  return resolveModel(`${provider}/${name}`, makeTestSettings(serverVariables(server.origin)));
}

export function optionsFor(
  model: Model,
  count: number,
  more: Partial<AskOptions> & Partial<PacingOptions> & MinuteLimits = {},
): AskOptions {
  const { concurrency = 16, maxWaitMs, requestsPerMinute, tokensPerMinute, ...rest } = more;
  return {
    model,
    samples: makeSamples(count),
    decoding: DECODING,
    pacing: new Pacing({
      concurrency,
      ...(maxWaitMs === undefined ? {} : { maxWaitMs }),
      account: new Account({ requestsPerMinute, tokensPerMinute }),
      // Backoff without waiting, so that tests about other things stay quick.
      random: () => 0,
    }),
    signal: new AbortController().signal,
    clock: systemClock,
    ...rest,
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
