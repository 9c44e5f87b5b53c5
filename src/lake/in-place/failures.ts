import { HxError, messageOf } from '../../base/errors.js';
import { networkError, refusalError, type S3Errand } from '../storage/s3-failures.js';
import type { S3Place } from '../storage/s3-place.js';

/** What failed of a file on S3 that DuckDB read through httpfs. */
export interface ReadFailure {
  readonly error: HxError;
  /** Whether a listing was too old: the file that it names is there no more. */
  readonly isGone: boolean;
}

const HINT = 'With HX_LAKE_READ=cache hx fetches the files itself.';

/**
 * Says in the words of our own requests what httpfs met at the server; undefined for what is no matter of a server.
 * @param url the lake's, by which its files are known in what DuckDB says.
 */
export function readFailure(
  place: S3Place,
  url: string,
  thrown: unknown,
  sql: string,
): ReadFailure | undefined {
  const message = messageOf(thrown);
  const damaged = damagedFile(message, url, sql);
  if (damaged !== undefined) return { error: damagedError(damaged, message, thrown), isGone: false };
  if (!/^(HTTP|IO) Error: .*(HTTP|URL)/s.test(message)) return undefined;
  const errand = { verb: 'read', url: objectIn(message, place) ?? url } as const;
  const status = /\(HTTP (\d{3})|": (\d{3}) \(|\bHTTP code (\d{3})/.exec(message);
  if (status === null) return { error: unreachedError(place, errand, message), isGone: false };
  const code = Number(status[1] ?? status[2] ?? status[3]);
  if (code === 404) return { error: goneError(errand.url, thrown), isGone: true };
  const refusal = { status: code, code: String(code), message: '', region: undefined };
  return { error: refusalError(place, errand, refusal), isGone: false };
}

/** Also where our own requests arrive httpfs may not: it knows other certificates. */
function unreachedError(place: S3Place, errand: S3Errand, message: string): HxError {
  const { code, message: what, hint, cause } = networkError(place, errand, new Error(reasonIn(message)), 1);
  return new HxError(code, what, { cause, hint: `${hint} ${HINT}` });
}

/** The object that a message names by its HTTP address, as `s3://bucket/key`. */
function objectIn(message: string, { base, bucket }: S3Place): string | undefined {
  const address = /https?:\/\/[^\s'"]+/.exec(message)?.[0];
  if (address === undefined || !address.startsWith(`${base}/`)) return undefined;
  try {
    return `s3://${bucket}/${decodeURIComponent(address.slice(base.length + 1))}`;
  } catch {
    return undefined;
  }
}

/** `Could not establish connection` of httpfs's sentence about it. */
function reasonIn(message: string): string {
  const [sentence = ''] = message.replace(/^[A-Z]+ Error: /, '').split('\n');
  return sentence.replace(/ error for HTTP .*/, '');
}

function damagedFile(message: string, url: string, sql: string): string | undefined {
  if (!/^(Invalid Input|IO) Error/.test(message) || /HTTP/.test(message)) return undefined;
  const named = /["']([^"']+\.parquet)["']/.exec(message)?.[1];
  // A statement can raise any text of its own, also one with the name of a file.
  return named?.startsWith(`${url}/`) && !sql.includes(named) ? named : undefined;
}

function damagedError(path: string, message: string, cause: unknown): HxError {
  const [said = ''] = message.replace(/^[A-Za-z ]*Error: /, '').split('\n');
  return new HxError('failed', `${path} is damaged: ${said}`, {
    cause,
    hint: 'hx export verify names what is damaged; restore it from a backup of the lake.',
  });
}

function goneError(path: string, cause: unknown): HxError {
  return new HxError('failed', `A file of the lake is gone: ${path}.`, {
    cause,
    hint: `Run it again: hx lists the lake anew. If that does not help, hx export verify names what is missing. ${HINT}`,
  });
}
