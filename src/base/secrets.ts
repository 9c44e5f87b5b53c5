/** The characters that stand for a secret wherever one would be shown. */
export const MASK = '••••';

/** A secret as it may be shown: its last four characters when it is long enough for that to be safe. */
export function maskSecret(secret: string): string {
  return secret.length >= 16 ? `${MASK}${secret.slice(-4)}` : MASK;
}

/** A connection string with its password masked; a text that is no URL is masked whole. */
export function maskUrl(url: string): string {
  try {
    const parsed = new URL(url);
    if (parsed.password === '') return url;
    parsed.password = 'MASK';
    return parsed.toString().replace(':MASK@', `:${MASK}@`);
  } catch {
    return MASK;
  }
}
