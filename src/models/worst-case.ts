import { ANSWER_SCHEMA } from '../rpl/answer.js';
import type { Decoding, PlannedSample } from '../rpl/sample.js';

/** Tokens of one call. */
export interface CallTokens {
  readonly input: number;
  readonly output: number;
}

/** No tokenizer makes more tokens than a text has bytes. */
const SCHEMA_BYTES = Buffer.byteLength(JSON.stringify(ANSWER_SCHEMA));
/** What a provider may add by itself: roles, tool instructions, its words about the schema. */
const PROVIDER_TOKENS = 1_000;
/** English text under the tokenizers in use; only for what is likely, never for a limit. */
const BYTES_PER_TOKEN = 4;
/** An answer with a few reasons; seen to lie between 120 and 350. */
const LIKELY_OUTPUT_TOKENS = 250;

type Messages = Pick<PlannedSample, 'system' | 'user'>;

/** More tokens than any provider can count for a call. */
export function mostTokens(sample: Messages, decoding: Decoding): CallTokens {
  return { input: bytesOf(sample) + PROVIDER_TOKENS, output: decoding.maxOutputTokens };
}

/** About as many tokens as a call will have. */
export function likelyTokens(sample: Messages, decoding: Decoding): CallTokens {
  const input = Math.ceil(bytesOf(sample) / BYTES_PER_TOKEN);
  return { input, output: Math.min(LIKELY_OUTPUT_TOKENS, decoding.maxOutputTokens) };
}

function bytesOf({ system, user }: Messages): number {
  return Buffer.byteLength(system) + Buffer.byteLength(user) + SCHEMA_BYTES;
}
