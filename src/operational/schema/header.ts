import { HxError } from '../../base/errors.js';
import { isRuleName, RULE_NAMES, type RuleName } from './lint/names.js';

/** `tx`: the whole file in one transaction. `steps`: one statement after the other, each on its own. */
export const MIGRATION_MODES = ['tx', 'steps'] as const;
export type MigrationMode = (typeof MIGRATION_MODES)[number];

/** A rule of the lint that the author of a migration sets aside, and why. */
export interface Waiver {
  readonly rule: RuleName;
  readonly reason: string;
  /** Where it stands, from 1. */
  readonly line: number;
}

/** What the lines `-- hx: key=value` at the top of a migration say about it. */
export interface MigrationHeader {
  readonly mode: MigrationMode;
  /** How long a statement may wait for a table; that of hx when left out. */
  readonly lockTimeoutMs?: number;
  readonly waivers: readonly Waiver[];
}

const HEADER_LINE = /^\s*--\s*hx:(.*)$/;
const PAIR = /^\s*([a-z_]+)=(\S*)/;
const KEYS = 'mode=tx|steps, lock_timeout=3s, allow=RULE reason=WORDS';
const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000 };
/** Whoever waits for a table makes all who come later wait too; beyond this it is an outage by design. */
const LOCK_TIMEOUT_MAX_MS = 60_000;

type Fail = (problem: string, hint: string) => HxError;

/**
 * Reads the header lines of a migration, which stand above its first statement.
 * @throws HxError `conflict` for an unknown key, value or rule, one given twice, a waiver without a reason, and a
 * header line below the first statement; each names the file and the line.
 */
export function readHeader(name: string, sql: string): MigrationHeader {
  let mode: MigrationMode | undefined;
  let lockTimeoutMs: number | undefined;
  const waivers: Waiver[] = [];
  let atTop = true;
  for (const [index, text] of sql.split(/\r?\n/).entries()) {
    const line = index + 1;
    const pairs = HEADER_LINE.exec(text)?.[1];
    if (pairs === undefined) {
      atTop &&= /^\s*(--.*)?$/.test(text);
      continue;
    }
    const fail: Fail = (problem, hint) =>
      new HxError('conflict', `${name}, line ${line}: ${problem}`, { hint });
    if (!atTop) throw fail('a header stands below the first statement.', 'Move it to the top of the file.');
    for (const [key, value, reason] of readPairs(pairs, fail)) {
      if (key === 'mode') {
        if (mode !== undefined) throw fail('mode is given twice.', 'Keep one of them.');
        mode = readMode(value, fail);
      } else if (key === 'lock_timeout') {
        if (lockTimeoutMs !== undefined) throw fail('lock_timeout is given twice.', 'Keep one of them.');
        lockTimeoutMs = readDuration(value, fail);
      } else {
        const rule = readRule(value, fail);
        if (waivers.some((waiver) => waiver.rule === rule)) {
          throw fail(`${rule} is allowed twice.`, 'One waiver counts for the whole file; join the reasons.');
        }
        waivers.push({ rule, reason, line });
      }
    }
  }
  return { mode: mode ?? 'tx', ...(lockTimeoutMs === undefined ? {} : { lockTimeoutMs }), waivers };
}

type Key = 'mode' | 'lock_timeout' | 'allow';

/** The `key=value` pairs of a line. Only `allow` has a reason, which reaches to the end of the line. */
function readPairs(text: string, fail: Fail): (readonly [Key, string, string])[] {
  const pairs: (readonly [Key, string, string])[] = [];
  let rest = text.trim();
  if (rest === '') throw fail('the header says nothing.', `It can say: ${KEYS}.`);
  while (rest !== '') {
    const [pair, key = '', value = ''] = PAIR.exec(rest) ?? [];
    if (pair === undefined) throw fail(`"${rest}" is not key=value.`, `A header can say: ${KEYS}.`);
    rest = rest.slice(pair.length).trim();
    if (key !== 'mode' && key !== 'lock_timeout' && key !== 'allow') {
      throw fail(`there is no header "${key}".`, `A header can say: ${KEYS}.`);
    }
    if (key !== 'allow') {
      pairs.push([key, value, '']);
      continue;
    }
    const reason = /^reason=(.*)$/.exec(rest)?.[1]?.trim() ?? '';
    if (reason === '') {
      throw fail(
        `allow=${value} has no reason.`,
        `Say why it is safe here: allow=${value} reason=SOME WORDS.`,
      );
    }
    pairs.push([key, value, reason]);
    rest = '';
  }
  return pairs;
}

function readMode(value: string, fail: Fail): MigrationMode {
  const mode = MIGRATION_MODES.find((known) => known === value);
  if (mode !== undefined) return mode;
  throw fail(`there is no mode "${value}".`, `It can be ${MIGRATION_MODES.join(' or ')}.`);
}

function readDuration(value: string, fail: Fail): number {
  const [, digits, unit = ''] = /^(\d{1,6})(ms|s|min)$/.exec(value) ?? [];
  const durationMs = Number(digits) * (MS_PER_UNIT[unit] ?? Number.NaN);
  if (durationMs > 0 && durationMs <= LOCK_TIMEOUT_MAX_MS) return durationMs;
  throw fail(
    `"${value}" is no lock_timeout.`,
    `It is a whole number of ms, s or min, more than 0 and at most ${LOCK_TIMEOUT_MAX_MS / 1_000}s, such as 500ms or 3s.`,
  );
}

function readRule(value: string, fail: Fail): RuleName {
  if (isRuleName(value)) return value;
  throw fail(`there is no rule "${value}".`, `The rules are ${RULE_NAMES.join(', ')}.`);
}
