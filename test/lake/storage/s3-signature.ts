import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * Why a request signed by AWS Signature Version 4 is refused; undefined when it is right. Written from
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, apart from what signs it.
 */
export function signatureFault(
  request: { method: string; url: string; headers: IncomingHttpHeaders; body: Buffer },
  account: { accessKeyId: string; secretAccessKey: string; sessionToken: string; region: string },
): readonly [code: string, message: string] | undefined {
  const { headers, body } = request;
  const parts =
    /Credential=([^/]+)\/(\d+)\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)/.exec(
      headers.authorization ?? '',
    );
  if (parts === null) return ['AccessDenied', 'Access Denied'];
  const [, accessKeyId, date = '', region = '', names = '', signature] = parts;
  if (accessKeyId !== account.accessKeyId) return ['InvalidAccessKeyId', 'The access key does not exist.'];
  const token = headers['x-amz-security-token'];
  if (token !== undefined && token !== account.sessionToken)
    return ['ExpiredToken', 'The token has expired.'];
  if (region !== account.region) {
    return ['AuthorizationHeaderMalformed', `the region is wrong; expecting <${account.region}>`];
  }
  const time = String(headers['x-amz-date']);
  const canonical = [
    request.method,
    pathOf(request.url),
    queryOf(request.url),
    ...names.split(';').map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    names,
    headers['x-amz-content-sha256'],
  ].join('\n');
  const scope = `${date}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = [date, region, 's3', 'aws4_request'].reduce<Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    Buffer.from(`AWS4${account.secretAccessKey}`),
  );
  if (createHmac('sha256', key).update(text).digest('hex') !== signature) {
    return ['SignatureDoesNotMatch', 'The signature does not match.'];
  }
  if (headers['x-amz-content-sha256'] !== sha256(body)) {
    return ['XAmzContentSHA256Mismatch', 'The content is not the one that was signed.'];
  }
  return undefined;
}

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');

/** The path as it came: S3 wants each character encoded once. */
const pathOf = (url: string) => url.split('?')[0] ?? '';

const queryOf = (url: string) =>
  (url.split('?')[1] ?? '')
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort()
    .join('&');
