import { HxError } from '../../base/errors.js';

/** What the settings say of a lake on S3, as they are written. */
export interface S3Input {
  /** `s3://bucket/prefix`. */
  readonly url: string;
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
  readonly region: string | undefined;
  /** Base URL of an S3-compatible server; AWS by default. */
  readonly endpoint: string | undefined;
}

/** A lake on S3: where, and as whom. */
export interface S3Place {
  readonly bucket: string;
  /** Without slashes at its ends; empty for the whole bucket. */
  readonly prefix: string;
  readonly region: string;
  /** The bucket's own URL, without a slash at its end. */
  readonly base: string;
  readonly credentials: S3Credentials;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

/** Where S3 itself is when no region is set; other servers mostly take any. */
const DEFAULT_REGION = 'us-east-1';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * Reads the settings of a lake on S3.
 * @throws HxError `configuration` naming the setting that is missing or malformed.
 */
export function readS3Place(input: S3Input): S3Place {
  const { bucket, prefix } = readUrl(input.url);
  const credentials = readCredentials(input);
  const region = input.region ?? DEFAULT_REGION;
  const base = input.endpoint === undefined ? awsBase(bucket, region) : customBase(bucket, input.endpoint);
  return { bucket, prefix, region, base, credentials };
}

function readUrl(url: string): { bucket: string; prefix: string } {
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]*)\/*(.*)$/.exec(url) ?? [];
  const prefix = path.replace(/\/+$/, '');
  const isPlain =
    !/[?#\\]|\/\/|[^\x20-\x7e]/.test(prefix) && !prefix.split('/').some((part) => /^\.{1,2}$/.test(part));
  if (BUCKET.test(bucket) && isPlain) return { bucket, prefix };
  throw new HxError('configuration', `HX_LAKE_URL is "${url}", which names no place on S3.`, {
    hint: 'Write it as s3://bucket/prefix, for example s3://my-bucket/hx.',
  });
}

function readCredentials({ url, accessKeyId, secretAccessKey, sessionToken }: S3Input): S3Credentials {
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return { accessKeyId, secretAccessKey, sessionToken };
  }
  const missing = [
    ...(accessKeyId === undefined ? ['AWS_ACCESS_KEY_ID'] : []),
    ...(secretAccessKey === undefined ? ['AWS_SECRET_ACCESS_KEY'] : []),
  ];
  throw new HxError(
    'configuration',
    `The lake is at ${url}, but ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not set.`,
    {
      hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (`aws configure export-credentials --format env` prints those of a profile).',
    },
  );
}

function awsBase(bucket: string, region: string): string {
  const host = `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  // A bucket with dots is no name that S3's certificate covers.
  return bucket.includes('.') ? `https://${host}/${bucket}` : `https://${bucket}.${host}`;
}

function customBase(bucket: string, endpoint: string): string {
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    throw new HxError('configuration', `AWS_ENDPOINT_URL is "${endpoint}", which is no URL.`, {
      hint: 'Write it as https://host or http://host:port, without the bucket; leave it out for AWS itself.',
    });
  }
  return `${endpoint.replace(/\/+$/, '')}/${bucket}`;
}
