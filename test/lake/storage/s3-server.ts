import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packagePath } from '../../../src/base/paths.js';
import type { Patience } from '../../../src/lake/storage/patience.js';
import { S3Storage } from '../../../src/lake/storage/s3.js';
import { S3Client } from '../../../src/lake/storage/s3-client.js';
import { readS3Place, type S3Input } from '../../../src/lake/storage/s3-place.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import type { Faults } from './s3-process.js';

export const BUCKET = 'hx-test-bucket';

/** A server that answers at once or not at all needs no long waits. */
export const IMPATIENT: Patience = {
  attempts: 5,
  firstContactAttempts: 2,
  firstWaitMs: 5,
  longestWaitMs: 40,
  silenceMs: 10_000,
  slowestBytesPerSecond: 100_000,
  repeatMs: 60_000,
};

/** A running S3 server of the tests. */
export interface S3Server {
  readonly endpoint: string;
  /** The settings by which the lake is found, below a prefix. */
  settings(prefix: string): Record<string, string>;
  set(faults: Faults): Promise<void>;
  /** How many requests of each method came so far. */
  counts(): Promise<Record<string, number>>;
  /** Kills the process at once. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the server in a process of its own. */
export async function startS3(): Promise<S3Server> {
  const folder = makeTempFolder();
  const child = spawn(
    process.execPath,
    // s3rver enciphers the place where a listing goes on with DES.
    [
      '--openssl-legacy-provider',
      '--import',
      'tsx',
      packagePath('test', 'lake', 'storage', 's3-process.ts'),
      join(folder, 's3'),
      BUCKET,
    ],
    { cwd: packagePath(), stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  const ask = async (message: Faults | 'counts') => {
    const answer = once(child, 'message');
    child.send(message);
    const [value] = await answer;
    return value;
  };
  const [{ port }] = await once(child, 'message');
  const endpoint = `http://127.0.0.1:${port}`;
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return {
    endpoint,
    settings: (prefix) => ({
      HX_LAKE_URL: `s3://${BUCKET}/${prefix}`,
      AWS_ACCESS_KEY_ID: 'S3RVER',
      AWS_SECRET_ACCESS_KEY: 'S3RVER',
      AWS_REGION: 'eu-test-1',
      AWS_ENDPOINT_URL: endpoint,
    }),
    set: (faults) => ask(faults),
    counts: () => ask('counts'),
    kill,
    stop: async () => {
      await kill();
      removeFolder(folder);
    },
  };
}

export interface StorageOptions extends Partial<S3Input> {
  readonly patience?: Patience;
  readonly signal?: AbortSignal;
}

/** A lake below a prefix of a server's bucket. */
export function storageAt(
  { endpoint }: S3Server,
  prefix: string,
  stagingDir: string,
  { patience = IMPATIENT, signal, ...changes }: StorageOptions = {},
): S3Storage {
  const place = readS3Place({
    url: `s3://${BUCKET}/${prefix}`,
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    sessionToken: undefined,
    region: 'eu-test-1',
    endpoint,
    ...changes,
  });
  return new S3Storage(new S3Client(place, patience, signal), stagingDir);
}
