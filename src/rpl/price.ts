import type { CallFacts } from './sample.js';

/** What a provider reported of a call. */
type Usage = Pick<CallFacts, 'tokensIn' | 'tokensOut'>;

/** What a model costs, in US dollars per million tokens. */
export interface Price {
  readonly inputUsd: number;
  readonly outputUsd: number;
}

export const FREE: Price = { inputUsd: 0, outputUsd: 0 };

const TOKENS_PER_PRICE = 1_000_000;

/** The cost of so many tokens, in US dollars. */
export function costOfTokens(
  tokens: { readonly input: number; readonly output: number },
  price: Price,
): number {
  return (tokens.input * price.inputUsd + tokens.output * price.outputUsd) / TOKENS_PER_PRICE;
}

/** The cost of one attempt by its provider's usage report, in US dollars; null when it reported none. */
export function costOfAttempt({ tokensIn, tokensOut }: Usage, price: Price): number | null {
  if (tokensIn === null) return null;
  return costOfTokens({ input: tokensIn, output: tokensOut ?? 0 }, price);
}

/**
 * The cost of attempts by their usage reports, as US dollars to six decimals; null when the price is unknown or
 * nothing was reported.
 */
export function costOfAttempts(attempts: readonly Usage[], price: Price | null): string | null {
  if (price === null) return null;
  const costs = attempts.map((attempt) => costOfAttempt(attempt, price)).filter((cost) => cost !== null);
  if (costs.length === 0 && price !== FREE) return null;
  return costs.reduce((sum, cost) => sum + cost, 0).toFixed(6);
}
