import { findCitation } from './citation.js';
import type { AttemptStatus } from './sample.js';

const TEXTS = { type: 'array', items: { type: 'string' } } as const;

/** JSON schema of the answer that every template asks for; sent to providers that can enforce one. */
export const ANSWER_SCHEMA = {
  type: 'object',
  properties: {
    belief: {
      type: 'object',
      properties: {
        prob_true: { type: 'number', minimum: 0, maximum: 1 },
        label: { type: 'string' },
      },
      required: ['prob_true', 'label'],
      additionalProperties: false,
    },
    reasons: TEXTS,
    assumptions: TEXTS,
    uncertainties: TEXTS,
    flags: {
      type: 'object',
      properties: { refused: { type: 'boolean' }, off_topic: { type: 'boolean' } },
      required: ['refused', 'off_topic'],
      additionalProperties: false,
    },
  },
  required: ['belief', 'reasons', 'assumptions', 'uncertainties', 'flags'],
  additionalProperties: false,
} as const;

/** How the provider says an answer ended. */
export type Finish = 'stop' | 'length' | 'refusal' | 'other';

export interface AnswerReading {
  readonly status: Exclude<AttemptStatus, 'failed'>;
  /** In [0, 1]; null unless the status is `valid` or `repaired`. */
  readonly probTrue: number | null;
  /** Why the answer is not `valid`, in words; null when it is. */
  readonly problem: string | null;
}

/** An answer takes some hundred tokens; what is longer than this is not read for JSON. */
const MAX_ANSWER_CHARACTERS = 100_000;
/** Opening braces from which an object is sought in prose. */
const MAX_OBJECT_STARTS = 64;

/** Reads the answer of one call. Never throws, whatever the text. */
export function readAnswer(text: string, finish: Finish): AnswerReading {
  if (finish === 'refusal') return unusable('refused', 'The provider reports a refusal.');
  if (finish === 'length') return unusable('truncated', 'The answer was cut off at its length limit.');
  if (text.length > MAX_ANSWER_CHARACTERS) {
    return unusable('invalid', `The answer has ${text.length} characters.`);
  }
  const whole = parseObject(text.trim());
  const found = whole === undefined ? findObjects(text) : [{ value: whole, source: text }];
  if (found.some(({ value }) => saysRefused(value))) {
    return unusable('refused', 'The answer sets flags.refused.');
  }
  const citation = citationIn(text, found);
  if (citation !== null) return unusable('leaked', `The answer holds ${citation}.`);
  if (found.length === 0) return readProse(text);
  return readObjects(
    found.map(({ value }) => value),
    whole !== undefined,
  );
}

function unusable(status: AnswerReading['status'], problem: string): AnswerReading {
  return { status, probTrue: null, problem };
}

function readProse(text: string): AnswerReading {
  if (text.trim() === '') return unusable('invalid', 'The answer is empty.');
  if (REFUSAL.test(text.slice(0, 600))) return unusable('refused', 'The model declined in prose.');
  return unusable('invalid', 'The answer holds no JSON object.');
}

const REFUSAL =
  /\bI(?:['\u2019]m| am)? (?:(?:must|have to|will have to|respectfully) decline|decline to|(?:can(?:not|['\u2019]t| not)|won['\u2019]t|will not|(?:am )?(?:unable|not able) to)(?: \w+){0,3}? (?:help|assist|provide|answer|comply|assess|evaluate|rate|judge|give|engage|discuss|fulfil|fulfill|respond|estimate|offer|do (?:that|this)|participate)\b)/i;

function readObjects(values: readonly JsonObject[], isWhole: boolean): AnswerReading {
  const answers = values.filter((value) => schemaProblem(value) === null).map(probTrueOf);
  const [first] = answers;
  if (first === undefined) {
    const [value] = values;
    return unusable('invalid', (value && schemaProblem(value)) ?? 'The answer holds no JSON object.');
  }
  if (answers.some((probTrue) => probTrue !== first)) {
    return unusable('invalid', 'The text holds several answers that differ.');
  }
  if (isWhole) return { status: 'valid', probTrue: first, problem: null };
  return { status: 'repaired', probTrue: first, problem: 'The JSON stood inside other text.' };
}

type JsonObject = Readonly<Record<string, unknown>>;

interface FoundObject {
  readonly value: JsonObject;
  /** Its text, as it stands in the answer. */
  readonly source: string;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseObject(text: string): JsonObject | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The outermost JSON objects of a text, in order. */
function findObjects(text: string): FoundObject[] {
  const found: FoundObject[] = [];
  let start = text.indexOf('{');
  for (let starts = 0; start !== -1 && starts < MAX_OBJECT_STARTS; starts += 1) {
    const end = endOfObject(text, start);
    const source = end === -1 ? '' : text.slice(start, end);
    const value = parseObject(source);
    if (value !== undefined) found.push({ value, source });
    start = text.indexOf('{', value === undefined ? start + 1 : end);
  }
  return found;
}

/** Where the braces that open at `start` are balanced, strings left aside; -1 when they never are. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  let inString = false;
  for (let index = start; index < text.length; index += 1) {
    const character = text[index];
    if (inString) {
      if (character === '\\') index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{') depth += 1;
    else if (character === '}') {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return -1;
}

function saysRefused(value: JsonObject): boolean {
  return isObject(value['flags']) && value['flags']['refused'] === true;
}

/** Looks at the prose around the objects and at their strings, decoded: JSON brackets are no reference marks. */
function citationIn(text: string, found: readonly FoundObject[]): string | null {
  let prose = text;
  for (const { source } of found) prose = prose.replace(source, () => '\n');
  return findCitation([prose, ...found.flatMap(({ value }) => stringsOf(value))].join('\n'));
}

function stringsOf(root: JsonObject): string[] {
  const strings: string[] = [];
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value === 'string') strings.push(value);
    else if (Array.isArray(value)) pending.push(...value);
    else if (isObject(value)) pending.push(...Object.keys(value), ...Object.values(value));
  }
  return strings;
}

function probTrueOf(value: JsonObject): number {
  // The sum turns a negative zero into zero.
  return isObject(value['belief']) ? (value['belief']['prob_true'] as number) + 0 : Number.NaN;
}

/** Where an object leaves ANSWER_SCHEMA, in words; null when it keeps to it. */
function schemaProblem(value: JsonObject): string | null {
  const { belief, flags } = value;
  if (!isObject(belief)) return 'belief is missing.';
  const probability = belief['prob_true'];
  if (typeof probability !== 'number') return 'belief.prob_true is not a number.';
  if (!(probability >= 0 && probability <= 1)) return `belief.prob_true is ${probability}, outside 0 to 1.`;
  if (typeof belief['label'] !== 'string') return 'belief.label is not a text.';
  for (const name of ['reasons', 'assumptions', 'uncertainties']) {
    const list = value[name];
    if (!Array.isArray(list) || list.some((item) => typeof item !== 'string')) {
      return `${name} is not a list of texts.`;
    }
  }
  if (!isObject(flags)) return 'flags is missing.';
  for (const name of ['refused', 'off_topic']) {
    if (typeof flags[name] !== 'boolean') return `flags.${name} is not true or false.`;
  }
  return (
    strayKey(value, ANSWER_SCHEMA.required, '') ??
    strayKey(belief, ANSWER_SCHEMA.properties.belief.required, 'belief.') ??
    strayKey(flags, ANSWER_SCHEMA.properties.flags.required, 'flags.')
  );
}

function strayKey(value: JsonObject, allowed: readonly string[], prefix: string): string | null {
  const stray = Object.keys(value).find((key) => !allowed.includes(key));
  return stray === undefined ? null : `${prefix}${stray.slice(0, 40)} is no part of the answer.`;
}
