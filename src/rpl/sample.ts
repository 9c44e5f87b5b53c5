import type { Environment } from '../base/environments.js';
import type { AttemptRow } from './record.js';

/**
 * A sample is one cell of the plan: one template asked once (its replicate). An attempt is one call made for
 * a sample; a sample takes one attempt, or more when an answer could not be used or the transport failed.
 */

/**
 * `valid` and `repaired` answers count. `failed` means that no answer came (transport, deadline, provider error).
 */
export type AttemptStatus = 'valid' | 'repaired' | 'invalid' | 'leaked' | 'refused' | 'truncated' | 'failed';

export function isUsable(status: AttemptStatus): boolean {
  return status === 'valid' || status === 'repaired';
}

/** An answer that cannot be used gets one retry; refusals are never retried. */
export function deservesRetry(status: string): boolean {
  return status === 'invalid' || status === 'leaked' || status === 'truncated';
}

/** Decoding parameters, sent explicitly to every provider and part of every sample's key. */
export interface Decoding {
  readonly temperature: number;
  readonly maxOutputTokens: number;
  /** How many of the likeliest tokens to report with their probabilities, for a readout; none without it. */
  readonly topLogprobs?: number;
}

/** One planned sample: everything that determines the call. */
export interface PlannedSample {
  /** SHA-256 of canonical JSON of everything that determines the call, hex. */
  readonly sampleKey: string;
  readonly templateId: string;
  /** 0-based, over all slots that use the template. */
  readonly replicate: number;
  readonly claim: string;
  /** System message, the same for every template of a bank. */
  readonly system: string;
  /** User message: the template with the claim in it. */
  readonly user: string;
}

/** Which call it was, whatever it asked for. */
export interface CallFrame {
  readonly sampleKey: string;
  readonly templateId: string;
  readonly replicate: number;
  /** 1 for the first call of a sample, then 2, 3, ... */
  readonly ordinal: number;
  readonly startedAt: Date;
  readonly latencyMs: number;
}

/** What came of a call, whatever it asked for. */
export interface CallFacts {
  readonly status: string;
  /** In [0, 1]; null unless the status is usable. */
  readonly probTrue: number | null;
  /** The answer as it came, null when none came. */
  readonly answerText: string | null;
  /** Why it is not `valid`, in words; null when it is. */
  readonly problem: string | null;
  readonly modelResolved: string | null;
  /** The provider's fingerprint of the serving configuration, where it gives one. */
  readonly systemFingerprint: string | null;
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
}

export interface AttemptFacts extends CallFacts {
  readonly status: AttemptStatus;
}

/** One call and what came of it: what lanes store, one row each, in the order in which they end. */
export interface Attempt extends CallFrame, AttemptFacts {}

/** Where a sample's answers come from; part of the sample key, so simulated and live never share one. */
export interface ModelIdentity {
  /** `provider/name` as requested. */
  readonly model: string;
  readonly provider: string;
  /** Base URL of the endpoint; null for the simulator. */
  readonly baseUrl: string | null;
  readonly simulated: boolean;
}

export interface SampleContext {
  readonly environment: Environment;
  readonly identity: ModelIdentity;
  readonly decoding: Decoding;
}

/** An attempt under the column names in which both lanes store it. */
export function attemptToRow(attempt: Attempt): AttemptRow {
  return {
    sample_key: attempt.sampleKey,
    template_id: attempt.templateId,
    replicate: attempt.replicate,
    ordinal: attempt.ordinal,
    status: attempt.status,
    prob_true: attempt.probTrue,
    answer_text: attempt.answerText,
    problem: attempt.problem,
    model_resolved: attempt.modelResolved,
    system_fingerprint: attempt.systemFingerprint,
    tokens_in: attempt.tokensIn,
    tokens_out: attempt.tokensOut,
    started_at: attempt.startedAt,
    latency_ms: attempt.latencyMs,
  };
}

/** The inverse of attemptToRow. */
export function attemptFromRow(row: AttemptRow): Attempt {
  return {
    sampleKey: row.sample_key,
    templateId: row.template_id,
    replicate: row.replicate,
    ordinal: row.ordinal,
    status: row.status as AttemptStatus,
    probTrue: row.prob_true,
    answerText: row.answer_text,
    problem: row.problem,
    modelResolved: row.model_resolved,
    systemFingerprint: row.system_fingerprint,
    tokensIn: row.tokens_in,
    tokensOut: row.tokens_out,
    startedAt: row.started_at,
    latencyMs: row.latency_ms,
  };
}
