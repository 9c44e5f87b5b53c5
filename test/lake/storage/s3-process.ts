/**
 * An S3 server, run as a process of its own: s3rver from npm stores and lists, and what it lacks of S3 stands in
 * front of it: conditional writes (it ignores If-None-Match and If-Match on PUT), the check of signatures and of
 * content hashes (it checks neither of Version 4), objects that appear whole, and faults on demand.
 *
 * Arguments: the folder of its data and a bucket. Sends its port, then obeys `Faults` sent to it.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import S3rver from 's3rver';
import { signatureFault } from './s3-signature.js';

export const ACCOUNT = {
  accessKeyId: 'S3RVER',
  secretAccessKey: 'S3RVER',
  sessionToken: 'session-token-of-the-tests',
  region: 'eu-test-1',
} as const;

/** What goes wrong from now on. Counts are used up by the requests to which they apply. */
export interface Faults {
  /** Answers 503 SlowDown without doing anything. */
  slowDown?: number;
  /** Answers 409 ConditionalRequestConflict to writes without doing anything. */
  conflict?: number;
  /** Breaks the connection before the request is carried out. */
  dropBefore?: number;
  /** Carries the request out and breaks the connection instead of answering. */
  dropAfter?: number;
  /** Carries the request out and answers 500 InternalError. */
  failAfter?: number;
  /** Breaks the connection in the middle of an answer's body. */
  dropInside?: number;
  /** Waits this long before each answer, in milliseconds. */
  delayMs?: number;
  /** Breaks every connection from the nth PUT on: the server has gone. */
  downAfterWrites?: number;
  /** Overwrites whatever the condition, as old servers do. */
  unconditional?: boolean;
  /** Refuses every request but reads: the key may not write. */
  readOnly?: boolean;
}

const [folder = '', bucket = ''] = process.argv.slice(2);
let faults: Faults = {};
let writes = 0;
const counts: Record<string, number> = {};

/** Uses up one of a counted fault. */
function strikes(
  name: 'slowDown' | 'conflict' | 'dropBefore' | 'dropAfter' | 'failAfter' | 'dropInside',
): boolean {
  const left = faults[name] ?? 0;
  faults[name] = left - 1;
  return left > 0;
}

/** Requests of one path wait for each other, so that a condition and its write are one step. */
const queues = new Map<string, Promise<unknown>>();

function inTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
  const turn = (queues.get(path) ?? Promise.resolve()).then(work, work);
  queues.set(path, turn);
  const leave = () => {
    if (queues.get(path) === turn) queues.delete(path);
  };
  turn.then(leave, leave);
  return turn;
}

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

function refuse(status: number, code: string, message: string, more = ''): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body: Buffer.from(body) };
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function answerTo(request: IncomingMessage, body: Buffer, innerPort: number): Promise<Answer> {
  const { method = '', url = '', headers } = request;
  const [code, message = ''] = signatureFault({ method, url, headers, body }, ACCOUNT) ?? [];
  if (code !== undefined) {
    const status = code === 'AuthorizationHeaderMalformed' || code === 'ExpiredToken' ? 400 : 403;
    return refuse(
      status,
      code,
      message.replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
      `<Region>${ACCOUNT.region}</Region>`,
    );
  }
  const isWrite = method === 'PUT' || method === 'DELETE';
  if (isWrite && faults.readOnly) return refuse(403, 'AccessDenied', 'Access Denied');
  if (strikes('slowDown')) return refuse(503, 'SlowDown', 'Please reduce your request rate.');
  if (method === 'PUT' && strikes('conflict')) return refuse(409, 'ConditionalRequestConflict', 'Conflict');
  const path = url.split('?')[0] ?? '';
  return inTurn(path, async () => {
    if (method === 'PUT' && !faults.unconditional) {
      const present = await forward(innerPort, 'HEAD', path, { ...headers, 'content-length': '0' });
      const isThere = present.status === 200;
      const wanted = headers['if-match'];
      if (headers['if-none-match'] === '*' && isThere)
        return refuse(412, 'PreconditionFailed', 'It is there.');
      if (wanted !== undefined && !isThere && present.status === 404)
        return refuse(404, 'NoSuchKey', 'Not there.');
      if (wanted !== undefined && present.headers['etag'] !== wanted)
        return refuse(412, 'PreconditionFailed', 'Changed.');
    }
    return forward(innerPort, method, url, headers, body);
  });
}

function forward(
  port: number,
  method: string,
  path: string,
  headers: IncomingMessage['headers'],
  body?: Buffer,
): Promise<Answer> {
  const { 'if-none-match': _none, 'if-match': _match, ...plain } = headers;
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers: plain }, (answer) => {
      bodyOf(answer).then(
        (content) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: content }),
        reject,
      );
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

async function handle(request: IncomingMessage, response: ServerResponse, innerPort: number): Promise<void> {
  const { method = '' } = request;
  counts[method] = (counts[method] ?? 0) + 1;
  if (method === 'PUT') writes += 1;
  if (writes > (faults.downAfterWrites ?? Number.POSITIVE_INFINITY) || strikes('dropBefore')) {
    request.socket.destroy();
    return;
  }
  const done = await answerTo(request, await bodyOf(request), innerPort);
  const answer = strikes('failAfter')
    ? refuse(500, 'InternalError', 'We encountered an internal error.')
    : done;
  if (faults.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, faults.delayMs));
  if (strikes('dropAfter')) {
    request.socket.destroy();
    return;
  }
  const { connection: _connection, 'transfer-encoding': _encoding, ...headers } = answer.headers;
  const length = method === 'HEAD' ? headers['content-length'] : answer.body.byteLength;
  response.writeHead(answer.status, { ...headers, 'content-length': String(length ?? 0) });
  if (answer.body.byteLength > 1 && strikes('dropInside')) {
    response.write(answer.body.subarray(0, answer.body.byteLength / 2), () => request.socket.destroy());
    return;
  }
  response.end(method === 'HEAD' ? undefined : answer.body);
}

const inner = new S3rver({
  address: '127.0.0.1',
  port: 0,
  silent: true,
  directory: folder,
  vhostBuckets: false,
  configureBuckets: [{ name: bucket }],
});
const { port: innerPort } = (await inner.run()) as AddressInfo;
const front = createServer((request, response) => {
  handle(request, response, innerPort).catch(() => request.socket.destroy());
});
front.listen(0, '127.0.0.1', () => process.send?.({ port: (front.address() as AddressInfo).port }));
process.on('message', (message: Faults | 'counts') => {
  if (message === 'counts') {
    process.send?.({ ...counts });
    return;
  }
  faults = message;
  writes = 0;
  process.send?.('set');
});
process.on('disconnect', () => process.exit());
