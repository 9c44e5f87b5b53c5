import { type ErrorCode, HxError, messageOf, systemCode } from '../base/errors.js';

/** What a message may say about the database that an error came from; never its connection string. */
export interface ErrorContext {
  /** How a person names the database: "the local database". */
  readonly database: string;
  /** The host, where it is not this machine. */
  readonly endpoint?: string;
  /** The setting that holds its connection string. */
  readonly setting: string;
  /** What to run when nothing answers. */
  readonly whenDown: string;
  /** What to do when the server answers but has no database of that name. */
  readonly whenMissing: string;
}

interface Translation {
  readonly code: ErrorCode;
  readonly what: (context: ErrorContext, message: string) => string;
  readonly hint: (context: ErrorContext, message: string) => string;
}

const UNREACHABLE: Translation = {
  code: 'unavailable',
  what: ({ database, endpoint }, message) =>
    `Cannot reach ${database}${endpoint === undefined ? '' : ` at ${endpoint}`}: ${message}`,
  hint: ({ whenDown }) => whenDown,
};
const NO_SUCH_DATABASE: Translation = {
  code: 'unavailable',
  what: ({ database }, message) => `${capital(database)} is not there, though its server answers: ${message}`,
  hint: ({ whenMissing }) => whenMissing,
};
const WRONG_CREDENTIALS: Translation = {
  code: 'credentials',
  what: ({ database, setting }) => `${capital(database)} refused the user or password in ${setting}.`,
  hint: ({ setting }) => `Correct ${setting}.`,
};
/** A login that may not log in, and a server that wants TLS, or no guests at all, whatever the password. */
const NOT_LET_IN: Translation = {
  code: 'credentials',
  what: ({ database, setting }, message) =>
    `${capital(database)} does not let the user of ${setting} in: ${message}`,
  hint: ({ setting }, message) =>
    /no encryption|insecure/.test(message)
      ? `The server wants TLS: write sslmode=verify-full into ${setting}.`
      : `Correct ${setting}.`,
};
const TLS_FAILED: Translation = {
  code: 'unavailable',
  what: ({ database }, message) => `The TLS connection to ${database} cannot be trusted: ${message}`,
  hint: ({ setting }) =>
    `Check the host in ${setting}; for a private certificate authority add sslrootcert=FILE.`,
};
const BUSY: Translation = {
  code: 'unavailable',
  what: ({ database }, message) => `${capital(database)} did not get to it: ${message}`,
  hint: () => 'Run the command again in a moment.',
};
const FULL: Translation = {
  code: 'unavailable',
  what: ({ database }, message) => `${capital(database)} has no connection left: ${message}`,
  hint: ({ setting }) =>
    `Close other clients of it, or put the pooled endpoint (-pooler in its host) into ${setting}.`,
};
const CONTRADICTION: Translation = {
  code: 'conflict',
  what: ({ database }, message) => `${capital(database)} refused the data: ${message}`,
  hint: () => 'Run with HX_DEBUG=1 for the details.',
};
const FORBIDDEN: Translation = {
  code: 'refused',
  what: ({ database }, message) => `${capital(database)} does not allow it: ${message}`,
  hint: ({ setting }) => `Use a role with that right in ${setting}.`,
};
const OUT_OF_STEP: Translation = {
  code: 'bug',
  what: ({ database }, message) => `${capital(database)} did not understand a statement: ${message}`,
  hint: () => 'Run hx migrate status; if nothing is pending, this is a defect of hx.',
};

/** SQLSTATEs, by code or by class (the first two characters). */
const BY_STATE: Readonly<Record<string, Translation>> = {
  '28P01': WRONG_CREDENTIALS,
  '28000': NOT_LET_IN,
  '3D000': NO_SUCH_DATABASE,
  '08': UNREACHABLE,
  '57P01': UNREACHABLE,
  '57P02': UNREACHABLE,
  '57P03': UNREACHABLE,
  '53300': FULL,
  '53': BUSY,
  '55P03': BUSY,
  '57014': BUSY,
  '25P03': BUSY,
  '40': BUSY,
  '23': CONTRADICTION,
  '42501': FORBIDDEN,
  '42': OUT_OF_STEP,
};

/** pgbouncer has one code for everything that it says itself, so only its words tell one thing from another. */
const POOLER_STATE = '08P01';
const POOLER_REFUSES = /authentication failed|no such user/;
const POOLER_WAITS = /cannot connect to server|server login has been failing|server conn crashed/;

/** Codes of Node and of the driver for a connection that could not be made or was lost. */
export const CONNECTION_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
]);
const TLS_CODES = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH)/;

/**
 * Turns an error of the driver into one of ours; anything else comes back as it is. The guards of the database
 * (SQLSTATE class HX, in migrations/0001_identity.sql) speak for themselves.
 */
export function translateDatabaseError(thrown: unknown, context: ErrorContext): unknown {
  if (!(thrown instanceof Error) || thrown instanceof HxError) return thrown;
  const code = systemCode(thrown);
  if (code === undefined) return thrown;
  if (thrown.name === 'PostgresError') return translateState(thrown, code, context);
  if (CONNECTION_CODES.has(code)) return translated(UNREACHABLE, thrown, context);
  if (TLS_CODES.test(code)) return translated(TLS_FAILED, thrown, context);
  return thrown;
}

function translateState(thrown: Error, state: string, context: ErrorContext): HxError {
  if (state.startsWith('HX')) {
    const hint = 'hint' in thrown && typeof thrown.hint === 'string' ? thrown.hint : undefined;
    return new HxError('refused', thrown.message, { cause: thrown, hint });
  }
  const refused = state === POOLER_STATE && POOLER_REFUSES.test(thrown.message);
  const translation = refused ? WRONG_CREDENTIALS : (BY_STATE[state] ?? BY_STATE[state.slice(0, 2)]);
  if (translation !== undefined) return translated(translation, thrown, context);
  return new HxError('failed', `${capital(context.database)} reports: ${thrown.message}`, { cause: thrown });
}

function translated({ code, what, hint }: Translation, thrown: Error, context: ErrorContext): HxError {
  const { setting } = context;
  const words = wordsOf(thrown);
  return new HxError(code, what(context, words), {
    cause: thrown,
    hint: hint(context, words),
    facts: { setting, database_code: systemCode(thrown) },
  });
}

/** The driver's own messages are codes. */
function wordsOf(thrown: Error): string {
  const message = messageOf(thrown);
  if (!message.startsWith('write CONN')) return message;
  return systemCode(thrown) === 'CONNECT_TIMEOUT' ? 'no answer' : 'the connection was lost';
}

/** Whether a connection attempt failed for a reason that passes: a server that is waking up, a lost packet. */
export function isPassingConnectionError(thrown: unknown): boolean {
  const code = systemCode(thrown) ?? '';
  if (code === POOLER_STATE) return POOLER_WAITS.test(messageOf(thrown));
  return code !== 'ENOTFOUND' && (CONNECTION_CODES.has(code) || code === '57P03' || code === '57P01');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
