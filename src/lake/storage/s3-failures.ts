import { type ErrorCode, HxError, messageOf, systemCode } from '../../base/errors.js';
import type { S3Place } from './s3-place.js';
import { elementOf } from './xml.js';

/** What an S3 server said when it refused. */
export interface S3Refusal {
  readonly status: number;
  /** S3's name of the error (`NoSuchBucket`); the status where the answer had no body. */
  readonly code: string;
  readonly message: string;
  readonly region: string | undefined;
}

/** Reads the body of a refused request. */
export function readRefusal(status: number, headers: Headers, body: string): S3Refusal {
  return {
    status,
    code: elementOf(body, 'Code') ?? String(status),
    message: elementOf(body, 'Message') ?? '',
    region: elementOf(body, 'Region') ?? headers.get('x-amz-bucket-region') ?? undefined,
  };
}

/** Whether the same request may well succeed later: the server is overloaded, broken or in the middle of a change. */
export function isTransient({ status, code }: S3Refusal): boolean {
  return TRANSIENT_CODES.has(code) || status === 429 || (status >= 500 && status !== 501);
}

const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  ...['SlowDown', 'RequestTimeout', 'InternalError', 'ServiceUnavailable', 'ThrottlingException'],
  // Another write of the same name is under way; nothing was stored.
  ...['ConditionalRequestConflict', 'OperationAborted'],
]);

/** Whether a transient refusal leaves open if the request was carried out all the same. */
export function isUncertain({ status }: S3Refusal): boolean {
  return status === 500 || status === 502 || status === 504;
}

/** What was asked for, as messages say it. */
export interface S3Errand {
  readonly verb: 'read' | 'write' | 'list' | 'remove';
  /** `s3://bucket/key`. */
  readonly url: string;
}

type Explanation = readonly [code: ErrorCode, what: string, hint: string];

/** Says in our words why a server refused. */
export function refusalError(place: S3Place, errand: S3Errand, refusal: S3Refusal): HxError {
  const [code, what, hint] = explain(place, errand, refusal);
  return new HxError(code, `Cannot ${errand.verb} ${errand.url}: ${what}`, {
    hint,
    facts: { status: refusal.status, s3_code: refusal.code },
  });
}

function explain(place: S3Place, errand: S3Errand, refusal: S3Refusal): Explanation {
  const host = new URL(place.base).host;
  const said = refusal.message === '' ? refusal.code : `${refusal.code}: ${refusal.message}`;
  if (isTransient(refusal)) {
    return [
      'unavailable',
      `the server is overloaded or failing (${said}).`,
      'Run the same command again later.',
    ];
  }
  switch (refusal.code) {
    case 'InvalidAccessKeyId':
      return ['credentials', `${host} does not know this access key.`, 'Check AWS_ACCESS_KEY_ID.'];
    case 'SignatureDoesNotMatch':
      return [
        'credentials',
        `${host} does not accept the signature.`,
        'Check AWS_SECRET_ACCESS_KEY: it is not the one that belongs to AWS_ACCESS_KEY_ID.',
      ];
    case 'ExpiredToken':
    case 'InvalidToken':
    case 'TokenRefreshRequired':
      return [
        'credentials',
        `the session token is not valid or no longer so (${refusal.code}).`,
        'Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN anew, all three of one session.',
      ];
    case 'AccessDenied':
    case '403':
      return [
        'credentials',
        'this access key may not do that.',
        `Grant it ${PERMISSIONS[errand.verb]} there, or set AWS_ACCESS_KEY_ID to another one.`,
      ];
    case 'NoSuchBucket':
      return [
        'configuration',
        `there is no bucket ${place.bucket} at ${host}.`,
        'Make the bucket, or correct HX_LAKE_URL or AWS_ENDPOINT_URL.',
      ];
    case 'AuthorizationHeaderMalformed':
    case 'PermanentRedirect':
    case 'IllegalLocationConstraintException':
    case '301':
      return [
        'configuration',
        `the bucket is not in ${place.region}.`,
        refusal.region === undefined
          ? "Set AWS_REGION to the bucket's region."
          : `Set AWS_REGION to ${refusal.region}.`,
      ];
    case 'RequestTimeTooSkewed':
      return [
        'configuration',
        "this machine's clock is wrong by minutes, or it slept meanwhile.",
        'Set the clock if it is wrong; else run the same command again.',
      ];
    case 'EntityTooLarge':
      return ['failed', 'the file is larger than one upload may be.', 'Export fewer days at once.'];
    default:
      return [
        'failed',
        `${host} answered ${refusal.status} ${said}.`,
        'Check HX_LAKE_URL and AWS_ENDPOINT_URL.',
      ];
  }
}

const PERMISSIONS = {
  read: 's3:GetObject and s3:ListBucket',
  write: 's3:PutObject and s3:GetObject',
  list: 's3:ListBucket',
  remove: 's3:DeleteObject',
} as const;

/** Says in our words why a server was not reached, or stopped in the middle. */
export function networkError(place: S3Place, errand: S3Errand, thrown: unknown, attempts: number): HxError {
  const { host } = new URL(place.base);
  const tries = attempts === 1 ? '' : ` (tried ${attempts} times)`;
  return new HxError(
    'unavailable',
    `Cannot ${errand.verb} ${errand.url}: ${reasonOf(thrown, host)}${tries}.`,
    {
      cause: thrown,
      hint: 'Check the network, HX_LAKE_URL, AWS_ENDPOINT_URL and AWS_REGION, then run the same command again.',
    },
  );
}

/** Says that a request whose answer was lost is not sent again. */
export function lateError({ verb, url }: S3Errand): HxError {
  return new HxError('unavailable', `Cannot ${verb} ${url}: its answer was lost, and that is too long ago.`, {
    hint: 'The process or its computer slept meanwhile. Run the same command again: it finds out what was written.',
  });
}

/**
 * Whether a request came to no server at all: there is no such host, nothing listens there, its certificate is another's.
 * Not so when a connection broke off, or nothing came for too long.
 */
export function isUnreachable(thrown: unknown): boolean {
  return thrown instanceof TypeError && !BROKEN_OFF.has(systemCode(causeOf(thrown)) ?? '');
}

const BROKEN_OFF: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** `fetch` hides the reason of a failure in its cause. */
function causeOf(thrown: unknown): unknown {
  return thrown instanceof TypeError && thrown.cause !== undefined ? thrown.cause : thrown;
}

function reasonOf(thrown: unknown, host: string): string {
  const cause = causeOf(thrown);
  switch (systemCode(cause)) {
    case 'ECONNREFUSED':
      return `nothing answers at ${host}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `there is no host ${host}`;
    default:
      if (BROKEN_OFF.has(systemCode(cause) ?? '')) return `${host} broke off the connection`;
      return `${host} cannot be reached: ${messageOf(cause)}`;
  }
}
