import type { DuckDBConnection } from '@duckdb/node-api';
import { HxError, messageOf } from '../../base/errors.js';
import { quote } from '../catalog/catalog.js';
import { loadDuckdb } from '../engine/duckdb-api.js';
import { startDuckdb } from '../engine/locked-duckdb.js';
import type { S3Place } from '../storage/s3-place.js';

/** Why httpfs is of no use here. */
export interface HttpfsProblem {
  /** `missing`: it was never installed for this version of DuckDB. `broken`: it is there and does not load. */
  readonly state: 'missing' | 'broken';
  readonly reason: string;
  /** How it is installed. */
  readonly fix: string;
}

/** Requests go out side by side: S3 is slow for each and quick for all. */
const THREADS = 8;

/**
 * Tries to load httpfs into a DuckDB of its own. It is loaded from where DuckDB keeps installed extensions, and only
 * when DuckDB's own signature is right; nothing is ever downloaded.
 * @param spill a folder that the DuckDB may name; it makes none.
 */
export async function httpfsProblem(spill: string): Promise<HttpfsProblem | undefined> {
  const api = loadDuckdb();
  const instance = await startDuckdb(api, { spill, memoryLimit: undefined });
  try {
    const connection = await instance.connect();
    try {
      await connection.run('LOAD httpfs');
      return undefined;
    } catch (error) {
      return problemOf(messageOf(error), api.version());
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

function problemOf(message: string, version: string): HttpfsProblem {
  const isMissing = /^IO Error: Extension ".*" not found/.test(message);
  const [said = ''] = message.replace(/^[A-Za-z ]*Error: /, '').split('\n');
  return {
    state: isMissing ? 'missing' : 'broken',
    reason: isMissing
      ? `httpfs is not installed for DuckDB ${version}`
      : `httpfs is installed, but DuckDB ${version} does not load it (${said.replace(/\.$/, '')})`,
    fix: `Install it with the command line of DuckDB ${version}: duckdb -c '${isMissing ? '' : 'FORCE '}INSTALL httpfs'. hx never does.`,
  };
}

/**
 * Lets a DuckDB read a place on S3 and no other through httpfs. What httpfs took out of the environment (keys, which
 * `duckdb_settings()` would show) goes, and the key is in a secret that nothing shows. DuckDB resolves `..` when it
 * checks a path and not when it opens it, so what httpfs could do beside is switched off: plain HTTP, Hugging Face,
 * and parameters in a path (`?s3_endpoint=`), which cost it patterns; a bucket of another place is asked for at ours.
 * @throws HxError `failed` when httpfs is not what it was when it was tried.
 */
export async function connectThroughHttpfs(connection: DuckDBConnection, place: S3Place): Promise<void> {
  const { endpoint, style, usesTls } = endpointOf(place);
  const { accessKeyId, secretAccessKey, sessionToken } = place.credentials;
  const secret = [
    `KEY_ID ${quote(accessKeyId)}`,
    `SECRET ${quote(secretAccessKey)}`,
    ...(sessionToken === undefined ? [] : [`SESSION_TOKEN ${quote(sessionToken)}`]),
    `REGION ${quote(place.region)}`,
    `ENDPOINT ${quote(endpoint)}`,
    `URL_STYLE ${quote(style)}`,
    `USE_SSL ${usesTls}`,
    'URL_COMPATIBILITY_MODE true',
    `SCOPE ${quote(`${urlOf(place)}/`)}`,
  ];
  const statements = [
    'LOAD httpfs',
    ...['s3_access_key_id', 's3_secret_access_key', 's3_session_token'].map((name) => `RESET GLOBAL ${name}`),
    `SET GLOBAL s3_region = ${quote(place.region)}`,
    `SET GLOBAL s3_endpoint = ${quote(endpoint)}`,
    `SET GLOBAL s3_url_style = ${quote(style)}`,
    `SET GLOBAL s3_use_ssl = ${usesTls}`,
    'SET GLOBAL s3_url_compatibility_mode = true',
    'SET GLOBAL enable_server_cert_verification = true',
    // What was read is used again while the object has the same tag: S3 gives one to each content.
    'SET GLOBAL enable_external_file_cache = true',
    `SET GLOBAL threads = greatest(${THREADS}, current_setting('threads'))`,
    `CREATE SECRET hx (TYPE s3, PROVIDER config, ${secret.join(', ')})`,
    "SET GLOBAL disabled_filesystems = 'HTTPFileSystem,HuggingFaceFileSystem'",
  ];
  try {
    for (const statement of statements) await connection.run(statement);
  } catch (error) {
    // Its message may draw the statement, and so the secret.
    const [said = ''] = messageOf(error).split('\n');
    throw new HxError('failed', `DuckDB cannot be let into ${urlOf(place)} through httpfs: ${said}`, {
      hint: 'Set HX_LAKE_READ=cache to read the lake without httpfs.',
    });
  }
}

function urlOf({ bucket, prefix }: S3Place): string {
  return prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`;
}

/** The server as httpfs wants it: a host, perhaps a path, and where the bucket's name goes. */
export function endpointOf({ base, bucket }: S3Place): {
  endpoint: string;
  style: 'path' | 'vhost';
  usesTls: boolean;
} {
  const { host, pathname, protocol } = new URL(base);
  const usesTls = protocol === 'https:';
  const path = `${host}${pathname}`;
  if (path.endsWith(`/${bucket}`)) {
    return { endpoint: path.slice(0, -bucket.length - 1), style: 'path', usesTls };
  }
  return { endpoint: host.slice(bucket.length + 1), style: 'vhost', usesTls };
}
