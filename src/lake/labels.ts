import { sha256Hex } from '../base/canonical.js';
import { HxError, messageOf } from '../base/errors.js';
import { normalizeClaim } from '../rpl/claim.js';

const HINT = 'Each line is a JSON object {"claim": "...", "truth": true} or false; other fields are yours.';

/**
 * Claims with their truth, from JSON Lines, as the JSON text that a query takes: `[{claim_hash, truth}]`. The same
 * claim may stand there twice when it says the same.
 * @throws HxError `usage` naming the first line that is none, or that contradicts an earlier one.
 */
export function readLabels(text: string): string {
  const truths = new Map<string, boolean>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const { claim, truth } = readLine(line, index + 1);
    const hash = sha256Hex(claim);
    if ((truths.get(hash) ?? truth) !== truth) {
      throw problem(index + 1, `"${claim}" is labelled true and false`);
    }
    truths.set(hash, truth);
  }
  if (truths.size === 0) throw new HxError('usage', 'There are no labels.', { hint: HINT });
  return JSON.stringify([...truths].map(([hash, truth]) => ({ claim_hash: hash, truth })));
}

function readLine(text: string, line: number): { claim: string; truth: boolean } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw problem(line, messageOf(error));
  }
  const { claim, truth } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  if (typeof claim !== 'string') throw problem(line, 'it has no claim');
  if (typeof truth !== 'boolean') throw problem(line, 'its truth is neither true nor false');
  return { claim: normalizeClaim(claim), truth };
}

function problem(line: number, what: string): HxError {
  return new HxError('usage', `Line ${line} of the labels: ${what}.`, { hint: HINT });
}
