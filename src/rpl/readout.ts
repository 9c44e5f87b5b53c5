import { canonicalJson, type JsonValue } from '../base/canonical.js';
import type { Finish } from './answer.js';
import type { ReadoutRow } from './record.js';
import type { CallFacts, CallFrame, Decoding } from './sample.js';
import { logit, mean, probabilityOf } from './statistics.js';

/**
 * A readout is P(True) by the probabilities that the model itself gives the words True and False, asked once under
 * a template's wording. It stands beside the number that the model states and never enters it.
 */

/** Below this share of the probability on True and False together a readout says too little to count. */
export const LEAST_MASS = 0.5;

/** How a readout is asked for. */
export interface ReadoutDecoding extends Decoding {
  readonly topLogprobs: number;
}

/** A token and the natural logarithm of its probability. */
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
}

/** One place in the answer: the token that was sampled, and the likeliest tokens there. */
export interface TokenPlace {
  readonly chosen: TokenLogprob;
  readonly top: readonly TokenLogprob[];
}

/**
 * `valid` counts. `low_mass`: the model wanted to say something else. `no_logprobs`: it gave no probabilities, or
 * only that of the token it chose. `failed`: no answer came.
 */
export type ReadoutStatus = 'valid' | 'low_mass' | 'no_logprobs' | 'refused' | 'failed';

/** What came of a readout call. */
export interface ReadoutFacts extends CallFacts {
  readonly status: ReadoutStatus;
  /** Probability of the tokens that say True, and of those that say False; null when none were given. */
  readonly massTrue: number | null;
  readonly massFalse: number | null;
  /** The likeliest tokens at the place that was read. */
  readonly tokens: readonly TokenLogprob[] | null;
  readonly temperature: number;
}

/** One readout call and what came of it: what lanes store. Its `sampleKey` is the readout's own key. */
export interface Readout extends CallFrame, ReadoutFacts {}

/** Another call would bring the same: only one that failed in transport is made again. */
export function isSettled({ status }: Pick<Readout, 'status'>): boolean {
  return status !== 'failed';
}

type Reading = Pick<ReadoutFacts, 'status' | 'probTrue' | 'massTrue' | 'massFalse' | 'tokens' | 'problem'>;

const NOTHING_READ = { probTrue: null, massTrue: null, massFalse: null, tokens: null };

/**
 * Reads P(True) off an answer's token probabilities, at the first token that has more to it than white space and
 * quotes: mass_true / (mass_true + mass_false), see `massOf`.
 */
export function readReadout(finish: Finish, places: readonly TokenPlace[] | null): Reading {
  if (finish === 'refusal') {
    return { ...NOTHING_READ, status: 'refused', problem: 'The model refused to answer.' };
  }
  const place = places?.find(({ chosen }) => wordOf(chosen.token) !== '') ?? places?.[0];
  if (place === undefined) {
    return {
      ...NOTHING_READ,
      status: 'no_logprobs',
      problem: 'The answer came without token probabilities.',
    };
  }
  const tokens = tokensAt(place);
  if (tokens.length < 2) {
    const problem = 'The answer came with the probability of one token only.';
    return { ...NOTHING_READ, status: 'no_logprobs', problem };
  }
  const massTrue = massOf('true', tokens);
  const massFalse = massOf('false', tokens);
  const covered = massTrue + massFalse;
  if (covered < LEAST_MASS) {
    const problem = `True and False have ${covered.toFixed(3)} of the probability, less than ${LEAST_MASS}.`;
    return { status: 'low_mass', probTrue: null, massTrue, massFalse, tokens, problem };
  }
  return { status: 'valid', probTrue: massTrue / covered, massTrue, massFalse, tokens, problem: null };
}

/** The likeliest tokens of a place; some providers leave the chosen one out when it is not among them. */
function tokensAt({ chosen, top }: TokenPlace): readonly TokenLogprob[] {
  return top.some(({ token }) => token === chosen.token) ? top : [...top, chosen];
}

/**
 * The probability that the tokens give a word: the sum over every token that is the word once upper and lower case,
 * white space (also as the marks ▁, Ġ and Ċ of tokenizers) and quotes, brackets, asterisks, dots, commas, colons,
 * exclamation marks and hyphens at its ends are disregarded. Pieces of a word (`Tr`) and other words (`Yes`) do
 * not count. At most 1, as rounded logarithms may add up to a little more.
 */
export function massOf(word: 'true' | 'false', tokens: readonly TokenLogprob[]): number {
  const own = tokens.filter(({ token }) => wordOf(token) === word);
  return Math.min(
    1,
    own.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0),
  );
}

const EDGE = '[\\s▁ĠĊ"\'`“”‘’«»*_()\\[\\]{}.,:;!-]+';
const EDGES = new RegExp(`^${EDGE}|${EDGE}$`, 'gu');

function wordOf(token: string): string {
  return token.replace(EDGES, '').toLowerCase();
}

/** The columns of a run that come from its readouts. */
export interface ReadoutSummary {
  readonly prob_true_logprob: number | null;
  readonly logprob_mass_other: number | null;
  readonly n_readouts: number | null;
  readonly readouts_by_status_json: string | null;
}

export const NO_READOUT: ReadoutSummary = {
  prob_true_logprob: null,
  logprob_mass_other: null,
  n_readouts: null,
  readouts_by_status_json: null,
};

/**
 * The belief by all readouts: the mean over templates of the logits, each probability clamped as the estimator
 * clamps answers (to [1e-6, 1 - 1e-6]), turned back into a probability. The mass elsewhere is the mean over every
 * readout that has probabilities, `low_mass` ones included: leaving those out would make it look smaller than it is.
 * @param readouts one a template, in any order.
 */
export function summariseReadouts(readouts: readonly Readout[]): ReadoutSummary {
  const ordered = [...readouts].sort((left, right) => (left.templateId < right.templateId ? -1 : 1));
  const logits = ordered.flatMap(({ probTrue }) => (probTrue === null ? [] : [logit(probTrue)]));
  const elsewhere = ordered.flatMap((readout) => massElsewhere(readout) ?? []);
  const counts: Partial<Record<ReadoutStatus, number>> = {};
  for (const { status } of ordered) counts[status] = (counts[status] ?? 0) + 1;
  return {
    prob_true_logprob: logits.length === 0 ? null : probabilityOf(mean(logits)),
    logprob_mass_other: elsewhere.length === 0 ? null : mean(elsewhere),
    n_readouts: logits.length,
    readouts_by_status_json: canonicalJson(counts as JsonValue),
  };
}

/** Probability on neither True nor False; null without probabilities. */
export function massElsewhere({ massTrue, massFalse }: Readout): number | null {
  return massTrue === null || massFalse === null ? null : Math.max(0, 1 - massTrue - massFalse);
}

/** One template's readout, as an explanation shows it. */
export interface TemplateReadout {
  readonly template: string;
  readonly status: ReadoutStatus;
  readonly prob_true: number | null;
  readonly mass_other: number | null;
}

/** A run's readouts by template, lowest first, those that do not count last. */
export function explainReadouts(readouts: readonly Readout[]): TemplateReadout[] {
  const height = ({ prob_true }: TemplateReadout) => prob_true ?? Number.POSITIVE_INFINITY;
  return decidingReadouts(readouts)
    .map((readout) => ({
      template: readout.templateId,
      status: readout.status,
      prob_true: readout.probTrue,
      mass_other: massElsewhere(readout),
    }))
    .sort((left, right) => (height(left) < height(right) ? -1 : 1));
}

/** Of each readout the call that decides: the first that is settled, else the last. */
export function decidingReadouts(readouts: readonly Readout[]): Readout[] {
  const byKey = new Map<string, Readout>();
  for (const readout of [...readouts].sort((left, right) => left.ordinal - right.ordinal)) {
    const current = byKey.get(readout.sampleKey);
    if (current === undefined || !isSettled(current)) byKey.set(readout.sampleKey, readout);
  }
  return [...byKey.values()];
}

/** A readout under the column names in which both lanes store it. */
export function readoutToRow(readout: Readout): ReadoutRow {
  return {
    readout_key: readout.sampleKey,
    template_id: readout.templateId,
    ordinal: readout.ordinal,
    status: readout.status,
    prob_true: readout.probTrue,
    mass_true: readout.massTrue,
    mass_false: readout.massFalse,
    tokens_json: readout.tokens === null ? null : JSON.stringify(readout.tokens),
    answer_text: readout.answerText,
    problem: readout.problem,
    temperature: readout.temperature,
    model_resolved: readout.modelResolved,
    system_fingerprint: readout.systemFingerprint,
    tokens_in: readout.tokensIn,
    tokens_out: readout.tokensOut,
    started_at: readout.startedAt,
    latency_ms: readout.latencyMs,
  };
}

/** The inverse of readoutToRow. */
export function readoutFromRow(row: ReadoutRow): Readout {
  return {
    sampleKey: row.readout_key,
    templateId: row.template_id,
    replicate: 0,
    ordinal: row.ordinal,
    status: row.status as ReadoutStatus,
    probTrue: row.prob_true,
    massTrue: row.mass_true,
    massFalse: row.mass_false,
    tokens: row.tokens_json === null ? null : (JSON.parse(row.tokens_json) as TokenLogprob[]),
    answerText: row.answer_text,
    problem: row.problem,
    temperature: row.temperature,
    modelResolved: row.model_resolved,
    systemFingerprint: row.system_fingerprint,
    tokensIn: row.tokens_in,
    tokensOut: row.tokens_out,
    startedAt: row.started_at,
    latencyMs: row.latency_ms,
  };
}
