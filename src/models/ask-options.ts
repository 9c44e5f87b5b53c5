import type { Clock } from '../base/time.js';
import type { Decoding, PlannedSample } from '../rpl/sample.js';
import type { Budget } from './budget.js';
import type { Model } from './model.js';
import type { Pacing } from './pacing.js';

/** A call that takes longer than this is given up and made again. */
export const DEFAULT_DEADLINE_MS = 60_000;
/** Calls of one sample that may fail without an answer. */
export const DEFAULT_MAX_ATTEMPTS = 5;

export interface AskOptions {
  readonly model: Model;
  readonly samples: readonly PlannedSample[];
  readonly decoding: Decoding;
  /** The pace of the account; shared by everything that asks the same model in one invocation. */
  readonly pacing: Pacing;
  /** What the invocation may cost; no limit without it. */
  readonly budget?: Budget | undefined;
  readonly signal: AbortSignal;
  /** Dates the attempts. Waiting goes by the real clock, as timers do. */
  readonly clock: Clock;
  /** Milliseconds that one call may take. */
  readonly deadlineMs?: number;
  /** Calls of one sample that may fail without an answer. A 429 is no fault of the sample and does not count. */
  readonly maxAttempts?: number;
  /** What was asked for a sample earlier, by sample key; ordinals and the one retry go on from there. */
  readonly earlier?: ReadonlyMap<string, EarlierCalls>;
}

/** The calls that an earlier invocation made for a sample. */
export interface EarlierCalls {
  /** The highest ordinal. */
  readonly calls: number;
  /** Whether one of them brought an answer that could not be used: the next one is the retry. */
  readonly hasUnusable: boolean;
}

/** The options with every default filled in. */
export type SettledOptions = Required<Omit<AskOptions, 'budget'>> & Pick<AskOptions, 'budget'>;
