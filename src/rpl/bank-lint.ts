import { type Bank, CLAIM_PLACE } from './bank.js';

/** One thing to mend in a bank. An error makes it unusable; a warning costs it quality. */
export interface BankFinding {
  readonly severity: 'error' | 'warning';
  /** Null for the bank as a whole. */
  readonly template: string | null;
  readonly problem: string;
}

/** Fewer templates than this leave an interval to Student's t at a cautious level. */
const TEMPLATES_WANTED = 8;
/** A bank of one family asks one question in many clothes. */
const FAMILIES_WANTED = 3;
/** Share of words that two templates may have in common before one of them adds little. */
const SIMILAR_FROM = 0.8;
const LONGEST_CHARACTERS = 600;
/** Words that lean towards an answer. */
const LEADING = /\b(obviously|clearly|surely|of course|unlikely that|likely false|known to be)\b/i;
/** Words that invite what an answer must not hold. */
const OUTSIDE = /https?:|\b(search the web|browse|look (it|this) up online|cite|sources?)\b/i;

/** What a well-formed bank could do better. Malformed ones are refused before they become a bank. */
export function lintBank(bank: Bank): BankFinding[] {
  const findings: BankFinding[] = [];
  const warn = (template: string | null, problem: string) =>
    findings.push({ severity: 'warning', template, problem });
  const { templates } = bank;
  if (templates.length < TEMPLATES_WANTED) {
    warn(null, `${templates.length} templates; intervals are narrower and surer from ${TEMPLATES_WANTED}`);
  }
  const families = new Set(templates.map(({ family }) => family));
  if (families.size < FAMILIES_WANTED)
    warn(null, `${families.size} families of wording; give ${FAMILIES_WANTED}`);
  for (const { id, text } of templates) {
    const leading = LEADING.exec(text)?.[0];
    if (leading !== undefined) warn(id, `"${leading}" leans towards an answer`);
    const outside = OUTSIDE.exec(text)?.[0];
    if (outside !== undefined) warn(id, `"${outside}" invites what makes an answer unusable`);
    if (text.length > LONGEST_CHARACTERS)
      warn(id, `${text.length} characters; keep to ${LONGEST_CHARACTERS}`);
  }
  for (const { first, second, share } of similarPairs(bank)) {
    warn(second, `shares ${Math.round(100 * share)} % of its words with ${first}`);
  }
  return findings;
}

function similarPairs({ templates }: Bank): { first: string; second: string; share: number }[] {
  const words = templates.map(({ id, text }) => ({ id, words: wordsOf(text) }));
  return words.flatMap((second, index) =>
    words.slice(0, index).flatMap((first) => {
      const share = overlap(first.words, second.words);
      return share >= SIMILAR_FROM ? [{ first: first.id, second: second.id, share }] : [];
    }),
  );
}

function wordsOf(text: string): Set<string> {
  return new Set(
    text
      .replaceAll(CLAIM_PLACE, ' ')
      .toLowerCase()
      .match(/\p{L}+/gu) ?? [],
  );
}

/** Jaccard's index: shared words over all words. */
function overlap(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const shared = [...left].filter((word) => right.has(word)).length;
  const all = left.size + right.size - shared;
  return all === 0 ? 1 : shared / all;
}
