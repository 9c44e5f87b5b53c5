import { HxError } from '../base/errors.js';
import type { ModelIdentity } from '../rpl/sample.js';
import type { Budget } from './budget.js';
import type { ModelCallError } from './model.js';
import type { CallTokens } from './worst-case.js';

/** The error that ends all asking after a call that no repetition can mend. */
export function endOfAsking(error: ModelCallError, { model }: ModelIdentity): HxError {
  const options = { hint: error.hint, cause: error, facts: { model, status: error.status } };
  if (error.kind === 'credentials') return new HxError('credentials', error.message, options);
  return new HxError(error.status === 404 ? 'usage' : 'failed', `${model}: ${error.message}`, options);
}

/** The error when the provider asks for more patience than the caller has. */
export function waitedTooLong(error: ModelCallError, maxWaitMs: number): HxError {
  const wait =
    error.retryAfterMs !== null && error.retryAfterMs > maxWaitMs
      ? `The provider asks us to wait ${Math.ceil(error.retryAfterMs / 1_000)} s`
      : 'No answer came for too long';
  return new HxError(
    'stopped',
    `${wait}; the limit is ${Math.round(maxWaitMs / 1_000)} s. Last: ${error.message}`,
    {
      hint: 'Run the same command again later; it carries on from here.',
      cause: error,
      facts: { status: error.status, retry_after_ms: error.retryAfterMs },
    },
  );
}

/** The error when the next call might cost more than is left. */
export function spentTooMuch(budget: Budget, most: CallTokens): HxError {
  const { limitUsd, spentUsd } = budget;
  const worstUsd = budget.worstUsd(most);
  return new HxError(
    'stopped',
    `${usd(spentUsd)} of at most ${usd(limitUsd)} are spent, and the next call may cost up to ${usd(worstUsd)}.`,
    {
      hint: 'Run the same command again, with a higher --max-cost if need be; it carries on from here.',
      facts: { spent_usd: spentUsd, max_cost_usd: limitUsd, next_call_usd: worstUsd },
    },
  );
}

function usd(amount: number): string {
  return `$${amount.toFixed(amount < 0.01 ? 6 : 4)}`;
}

/** The error when every call failed and none was ever answered. */
export function nothingAnswered(error: ModelCallError, { model, baseUrl }: ModelIdentity): HxError {
  const where = baseUrl === null ? '' : ` at ${baseUrl}`;
  return new HxError(
    'unavailable',
    `The model ${model}${where} answered none of our calls. Last: ${error.message}`,
    {
      hint:
        error.hint ??
        (baseUrl === null ? undefined : 'See that the server runs and the base URL is right: hx models.'),
      cause: error,
      facts: { model, base_url: baseUrl },
    },
  );
}
