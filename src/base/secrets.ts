/** The characters that stand for a secret wherever one would be shown. */
export const MASK = '••••';

/** A secret as it may be shown: its last four characters when it is long enough for that to be safe. */
export function maskSecret(secret: string): string {
  return secret.length >= 16 ? `${MASK}${secret.slice(-4)}` : MASK;
}

/** Query parameters whose value is a secret (`password`, `sslpassword`, `options` may carry none). */
const SECRET_PARAMETER = /pass|secret|token|key/i;

/** A connection string with every password in it masked; a text that is no URL is masked whole. */
export function maskUrl(url: string): string {
  try {
    const parsed = new URL(url);
    const secrets = [...parsed.searchParams.keys()].filter((name) => SECRET_PARAMETER.test(name));
    if (parsed.password === '' && secrets.length === 0) return url;
    if (parsed.password !== '') parsed.password = PLACEHOLDER;
    for (const name of secrets) parsed.searchParams.set(name, PLACEHOLDER);
    return parsed.toString().replaceAll(PLACEHOLDER, MASK);
  } catch {
    return MASK;
  }
}

/** Stands for the mask while a URL is written, which would percent-encode the mask itself. */
const PLACEHOLDER = 'MASKED-SECRET';
