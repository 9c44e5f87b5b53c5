/**
 * The one error class of hx, and the one table that gives each error code its exit code and HTTP status.
 * A message says what happened and to what; the hint says what to do next. Neither ever holds a secret.
 */

export const ERROR_CODES = {
  /** The caller asked for something that cannot be: a flag, a value, a file's content. */
  usage: { exit: 2, status: 400 },
  /** A setting of this machine is missing or malformed. */
  configuration: { exit: 2, status: 500 },
  /** A SQL statement was malformed or failed. */
  sql: { exit: 1, status: 400 },
  /** The thing named does not exist. */
  not_found: { exit: 1, status: 404 },
  /** A database or the query engine declined on purpose: another environment, a path outside the lake. */
  refused: { exit: 1, status: 403 },
  /** The caller did not say who it is. */
  unauthorized: { exit: 1, status: 401 },
  /** The request body is larger than the server takes. */
  too_large: { exit: 1, status: 413 },
  /** What is stored contradicts what was asked: an edited migration, a changed bank under an old version. */
  conflict: { exit: 1, status: 409 },
  /** The model answered, but too few answers were usable for an estimate. */
  insufficient_samples: { exit: 1, status: 422 },
  /** The work ran and failed. */
  failed: { exit: 1, status: 500 },
  /** A database, model or program that is needed does not answer. */
  unavailable: { exit: 3, status: 503 },
  /** A provider refused the credentials it was given. */
  credentials: { exit: 3, status: 503 },
  /** Stopped by a limit; the same command carries on from here. */
  stopped: { exit: 4, status: 503 },
  /** Interrupted by the user. */
  interrupted: { exit: 130, status: 499 },
  /** A defect of hx. */
  bug: { exit: 70, status: 500 },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface HxErrorOptions {
  /** What to do next, as a full sentence or a command. */
  hint?: string | undefined;
  cause?: unknown;
  /** Machine-readable facts that `--json` and problem documents carry, never secrets. */
  facts?: Readonly<Record<string, unknown>> | undefined;
}

export class HxError extends Error {
  override readonly name = 'HxError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly facts: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: HxErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.facts = options.facts;
  }

  get exitCode(): number {
    return ERROR_CODES[this.code].exit;
  }

  get httpStatus(): number {
    return ERROR_CODES[this.code].status;
  }
}

/**
 * Turns whatever was thrown into an HxError: an abort becomes `interrupted`, anything unknown a `bug`.
 * Lanes translate their drivers' errors before this is reached.
 */
export function toHxError(thrown: unknown): HxError {
  if (thrown instanceof HxError) return thrown;
  if (thrown instanceof Error && thrown.name === 'AbortError') {
    return new HxError('interrupted', 'Interrupted.', { cause: thrown });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new HxError('bug', `Unexpected error: ${message}`, {
    cause: thrown,
    hint: 'This is a defect of hx. Run the command again with HX_DEBUG=1 and report the trace.',
  });
}

/** The message of anything thrown, for use inside another message. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === '') {
    return thrown.errors.map(messageOf).join('; ');
  }
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` property of a Node or driver error (`ENOENT`, `23505`), if it has one. */
export function systemCode(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
