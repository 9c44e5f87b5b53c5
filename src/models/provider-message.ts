import { fieldOf, listIn, textIn } from './envelope.js';

/** What a provider says in the body of an error. */
export interface ProviderMessage {
  readonly message: string;
  readonly code: string | null;
  readonly param: string | null;
  /** The wait that Google names in the body instead of in a header, milliseconds. */
  readonly retryDelayMs: number | null;
}

/**
 * Reads an error's body in the form of any provider: `{error: {message, code, param}}` (OpenAI and its likes),
 * `{type, error: {type, message}}` (Anthropic), `{error: {code, message, status, details}}` (Google, sometimes in
 * a list), `{code, error}` (xAI). Other bodies are taken as text, but for a page of HTML.
 */
export function providerMessage(body: string | undefined): ProviderMessage {
  const nothing: ProviderMessage = { message: '', code: null, param: null, retryDelayMs: null };
  if (body === undefined || body === '') return nothing;
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return /^\s*</.test(body) ? nothing : { ...nothing, message: body };
  }
  const root = Array.isArray(parsed) ? parsed[0] : parsed;
  const inner = fieldOf(root, 'error');
  const error = typeof inner === 'object' && inner !== null ? inner : root;
  const details = listIn(error, 'details');
  return {
    message: textIn(error, 'message') ?? textIn(root, 'error') ?? textIn(root, 'detail') ?? '',
    code: textIn(detail(details, 'ErrorInfo'), 'reason') ?? textIn(error, 'code') ?? textIn(error, 'type'),
    param: textIn(error, 'param'),
    retryDelayMs: durationMs(textIn(detail(details, 'RetryInfo'), 'retryDelay')),
  };
}

/** One of Google's error details, by the end of its type name. */
function detail(details: readonly unknown[], type: string): unknown {
  return details.find((one) => textIn(one, '@type')?.endsWith(`.${type}`));
}

/** Google's durations are seconds with an `s`, as in `37.8s`. */
function durationMs(text: string | null): number | null {
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(text ?? '')?.[1];
  return seconds === undefined ? null : Number(seconds) * 1_000;
}

/** Why an account may not call: its key is not accepted, or it has no credit left. Null for any other error. */
export function accountProblem(status: number, { message, code }: ProviderMessage): 'key' | 'credit' | null {
  if (status === 402 || code === 'insufficient_quota' || NO_CREDIT.test(message)) return 'credit';
  if (status === 401 || status === 403) return 'key';
  // Google and xAI answer a wrong or expired key with 400.
  return status === 400 && (code === 'API_KEY_INVALID' || BAD_KEY.test(message)) ? 'key' : null;
}

const NO_CREDIT =
  /credit balance is too low|used all available credits|monthly spending limit|does(?:n['\u2019]t| not) have any credits/i;
const BAD_KEY =
  /(?:incorrect|invalid|expired) api key|api key (?:is )?(?:not valid|invalid|expired|not found)/i;

/** OpenAI's words about a prompt, Anthropic's about an answer; their codes are those of any malformed request. */
const FLAGGED =
  /flagged as (?:potentially )?violating our usage polic|blocked by (?:our |the )?content filter(?:ing)? policy/i;

/** Whether an error is a provider's way of refusing the prompt. */
export function isRefusal(status: number, { message, code }: ProviderMessage): boolean {
  if (status === 400) {
    return code === 'content_filter' || code === 'content_policy_violation' || FLAGGED.test(message);
  }
  return status === 403 && /violates usage guidelines/i.test(message);
}
