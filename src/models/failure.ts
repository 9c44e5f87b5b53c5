import { messageOf, systemCode } from '../base/errors.js';
import { MASK } from '../base/secrets.js';
import type { SettingName } from '../base/settings-table.js';
import { type FailureKind, ModelCallError } from './model.js';
import { accountProblem, type ProviderMessage, providerMessage } from './provider-message.js';

/** What is known of the endpoint that failed. */
export interface Endpoint {
  readonly provider: string;
  readonly baseUrl: string;
  /** Never shown: taken out of whatever the provider says. */
  readonly secret: string | undefined;
  /** The setting that holds the secret. */
  readonly keySetting: SettingName | undefined;
}

export interface HttpFailure {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string | undefined;
  readonly cause?: unknown;
}

const MAX_MESSAGE_CHARACTERS = 300;

/** Answers of a busy or broken server; the same request may work later. */
const RETRYABLE = new Set([408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529]);

/** A response other than 2xx, in our terms. */
export function httpFailure(endpoint: Endpoint, failure: HttpFailure): ModelCallError {
  const { status, headers, body, cause } = failure;
  const said = providerMessage(body);
  const account = accountProblem(status, said);
  const text = said.message === '' ? '' : `: ${sentence(redact(said.message, endpoint.secret))}`;
  return new ModelCallError(`${endpoint.provider} answered ${status}${text || '.'}`, {
    kind: account === null ? kindOf(status) : 'credentials',
    status,
    retryAfterMs: retryAfterMs(headers, Date.now()) ?? said.retryDelayMs,
    hint: account === null ? hintFor(status, said, endpoint) : accountHint(account, endpoint),
    cause,
  });
}

/**
 * A response of 2xx without an answer in it: an error that its body tells, as OpenAI's Responses with the status
 * `failed` and relays do, or something that is not of this API at all. Either may pass.
 */
export function noAnswerInside(endpoint: Endpoint, failure: HttpFailure): ModelCallError {
  const { status, headers, body, cause } = failure;
  const type = headers['content-type'] ?? 'without a type';
  const said = type.includes('json') ? providerMessage(body).message : '';
  const found =
    said === ''
      ? `something else than an answer (${redact(type, undefined)}).`
      : `an error in the place of an answer: ${sentence(redact(said, endpoint.secret))}`;
  return new ModelCallError(`${endpoint.provider} answered ${status} with ${found}`, {
    kind: 'retryable',
    status,
    cause,
    hint: said === '' ? `Check the base URL (${endpoint.baseUrl}).` : undefined,
  });
}

function kindOf(status: number): FailureKind {
  return RETRYABLE.has(status) || status >= 500 ? 'retryable' : 'fatal';
}

function accountHint(problem: 'key' | 'credit', { keySetting, secret }: Endpoint): string {
  const key = keySetting ?? 'the key';
  if (problem === 'credit') {
    return `The account behind ${key} has no credit left: top it up, or use another key.`;
  }
  return `Check ${key}: it is ${secret === undefined ? 'not set' : 'set, but not accepted for this model'}.`;
}

function hintFor(status: number, said: ProviderMessage, endpoint: Endpoint): string | undefined {
  if (status === 404) return `Check the model's name and the base URL (${endpoint.baseUrl}); see hx models.`;
  if (status === 400 && `${said.param} ${said.message}`.includes('temperature')) {
    return 'hx sends every model the same temperature. Choose a model that takes one.';
  }
  return undefined;
}

/** A call that got no whole response: refused, reset, unresolved name, unreadable body. */
export function transportFailure(endpoint: Endpoint, thrown: unknown): ModelCallError {
  const root = rootCause(thrown);
  const code = systemCode(root);
  const text = messageOf(root);
  const what = code === undefined || text.includes(code) ? text : `${code}, ${text}`;
  return new ModelCallError(
    `No answer from ${endpoint.provider} at ${endpoint.baseUrl}: ${sentence(redact(what, endpoint.secret))}`,
    { kind: 'retryable', cause: thrown },
  );
}

function rootCause(thrown: unknown): unknown {
  let error = thrown;
  for (let depth = 0; depth < 5 && error instanceof Error && error.cause !== undefined; depth += 1) {
    error = error.cause;
  }
  return error;
}

/** Takes secrets and control characters out of foreign text, and shortens it. */
export function redact(text: string, secret: string | undefined): string {
  const masked = secret === undefined || secret.length < 4 ? text : text.replaceAll(secret, MASK);
  return masked
    .replace(/\b(?:(?:sk|xai|key)-[\w*-]{6,}|AIza[\w*-]{6,})/g, MASK)
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_MESSAGE_CHARACTERS);
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/**
 * The wait that a response asks for, in milliseconds: `retry-after-ms`, or `Retry-After` in seconds or as an
 * HTTP date, which is read against the server's own `Date` so that a wrong clock here does no harm.
 */
export function retryAfterMs(
  headers: Readonly<Record<string, string | undefined>>,
  nowMs: number,
): number | null {
  const exact = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (Number.isFinite(exact) && exact >= 0) return exact;
  const text = headers['retry-after']?.trim();
  if (text === undefined || text === '') return null;
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1_000;
  const untilMs = Date.parse(text);
  if (Number.isNaN(untilMs)) return null;
  const serverNowMs = Date.parse(headers['date'] ?? '');
  return Math.max(0, untilMs - (Number.isNaN(serverNowMs) ? nowMs : serverNowMs));
}
