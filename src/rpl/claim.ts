import { HxError } from '../base/errors.js';

/** A claim is a sentence or a short paragraph; beyond this it is a document. */
export const MAX_CLAIM_CHARACTERS = 2_000;

/**
 * Checks a claim and removes white space at its ends.
 * @throws HxError `usage` for an empty, overlong or binary claim.
 */
export function normalizeClaim(text: string): string {
  const claim = text.trim();
  if (claim === '') {
    throw new HxError('usage', 'The claim is empty.', {
      hint: 'Give one sentence, for example: hx check "Tides are caused by the moon".',
    });
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
  if (!claim.isWellFormed() || /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffd]/.test(claim)) {
    throw new HxError('usage', 'The claim holds bytes that are not text.', {
      hint: 'Give plain UTF-8 text without control characters.',
    });
  }
  const length = [...claim].length;
  if (length > MAX_CLAIM_CHARACTERS) {
    throw new HxError('usage', `The claim has ${length} characters.`, {
      hint: `A claim has at most ${MAX_CLAIM_CHARACTERS}; state it in a sentence or two.`,
    });
  }
  return claim;
}
