import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { HxError } from '../../base/errors.js';
import { sleep } from '../../base/time.js';
import type { Patience } from './patience.js';
import {
  isTransient,
  isUncertain,
  isUnreachable,
  lateError,
  networkError,
  readRefusal,
  refusalError,
  type S3Errand,
  type S3Refusal,
} from './s3-failures.js';
import type { S3Place } from './s3-place.js';

/** What a request carries: bytes, or a file that is read anew for each attempt. */
export type S3Body =
  | { readonly content: Uint8Array }
  | { readonly path: string; readonly bytes: number; readonly sha256: string };

export interface S3Request<T> {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  /** The key within the bucket; empty for the bucket itself. */
  readonly key: string;
  readonly errand: S3Errand['verb'];
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: S3Body;
  /**
   * Whether it must not be sent again late, as the computer may sleep for days between two attempts: what the first one
   * did, compaction may have taken in and removed since.
   */
  readonly repeatsInTime?: boolean;
  /** Reads a successful answer; what it throws counts as a lost connection. */
  readonly consume: (response: Response, touch: () => void) => Promise<T>;
}

export type S3Answer<T> =
  | { readonly done: true; readonly value: T }
  | {
      readonly done: false;
      readonly refusal: S3Refusal;
      /** Whether an earlier attempt of the request may have been carried out without an answer. */
      readonly uncertain: boolean;
    };

type Outcome<T> =
  | { readonly value: T }
  | { readonly refusal: S3Refusal; readonly retryAfterMs?: number }
  | { readonly lost: unknown; readonly retryAfterMs?: number };

/** Sends signed requests to one bucket and repeats them while that can help. */
export class S3Client {
  readonly place: S3Place;
  private readonly patience: Patience;
  private readonly signal: AbortSignal | undefined;
  private hasAnswered = false;

  constructor(place: S3Place, patience: Patience, signal?: AbortSignal) {
    this.place = place;
    this.patience = patience;
    this.signal = signal;
    // Any number of requests side by side wait for it, which Node would take for a leak and say so.
    if (signal !== undefined) setMaxListeners(0, signal);
  }

  /**
   * Sends a request until it succeeds or is refused for good.
   * @throws HxError `unavailable` when the server is out of reach or keeps failing, the signal's reason when aborted.
   */
  async send<T>(request: S3Request<T>): Promise<S3Answer<T>> {
    const errand = { verb: request.errand, url: this.urlOf(request.key) };
    const lastAt = request.repeatsInTime === true ? Date.now() + this.patience.repeatMs : undefined;
    let uncertain = false;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.attempt(request, uncertain ? lastAt : undefined);
      const isLast = attempt >= this.attemptsAfter(outcome);
      if ('value' in outcome) return { done: true, value: outcome.value };
      if ('refusal' in outcome) {
        const { refusal } = outcome;
        if (!isTransient(refusal)) return { done: false, refusal, uncertain };
        if (isLast) throw refusalError(this.place, errand, refusal);
        uncertain ||= isUncertain(refusal);
      } else {
        if (isLast) throw networkError(this.place, errand, outcome.lost, attempt);
        uncertain = true;
      }
      await sleep(this.waitMs(attempt, outcome.retryAfterMs), this.signal);
    }
  }

  /** `send`, where every refusal is an error. */
  async require<T>(request: S3Request<T>): Promise<T> {
    const answer = await this.send(request);
    if (answer.done) return answer.value;
    const errand = { verb: request.errand, url: this.urlOf(request.key) };
    throw refusalError(this.place, errand, answer.refusal);
  }

  /** How messages call a key. */
  urlOf(key: string): string {
    return `s3://${this.place.bucket}/${key}`;
  }

  /** How many attempts a request has after what came of the last one. */
  private attemptsAfter(outcome: Outcome<unknown>): number {
    const { attempts, firstContactAttempts } = this.patience;
    const isNowhere = !this.hasAnswered && 'lost' in outcome && isUnreachable(outcome.lost);
    return isNowhere ? Math.min(attempts, firstContactAttempts) : attempts;
  }

  /** @param lastAt the moment, of the wall clock, after which it is too late. */
  private async attempt<T>(request: S3Request<T>, lastAt?: number): Promise<Outcome<T>> {
    this.signal?.throwIfAborted();
    const watch = new Watch(this.patience, sizeOf(request.body), this.signal);
    try {
      // Node forgets a signal that only the request has, once its garbage is collected.
      const response = await fetch(await this.sign(request, lastAt), { signal: watch.signal });
      watch.touch();
      this.hasAnswered = true;
      if (response.ok) return { value: await request.consume(response, () => watch.touch()) };
      const refusal = readRefusal(response.status, response.headers, await response.text());
      const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
      return { refusal, ...(seconds >= 0 ? { retryAfterMs: seconds * 1000 } : {}) };
    } catch (thrown) {
      this.signal?.throwIfAborted();
      // What the disk refused while an answer was stored is no fault of the server.
      if (thrown instanceof HxError) throw thrown;
      return { lost: thrown };
    } finally {
      watch.end();
    }
  }

  private async sign(request: S3Request<unknown>, lastAt: number | undefined): Promise<Request> {
    const { AwsV4Signer } = await import('aws4fetch');
    const { accessKeyId, secretAccessKey, sessionToken } = this.place.credentials;
    const { body } = request;
    const signer = new AwsV4Signer({
      method: request.method,
      url: this.address(request),
      headers: { ...request.headers, 'x-amz-content-sha256': hashOf(body) },
      ...{ accessKeyId, secretAccessKey, service: 's3', region: this.place.region },
      ...(sessionToken === undefined ? {} : { sessionToken }),
    });
    // The signature bears the time at which the signer was made, so the server refuses what stands still from here on.
    if (lastAt !== undefined && Date.now() > lastAt)
      throw lateError({ verb: request.errand, url: this.urlOf(request.key) });
    const signed = await signer.sign();
    const headers = new Headers(signed.headers);
    // A stream says no length of its own, and S3 takes none in chunks.
    if (body !== undefined) headers.set('content-length', String(sizeOf(body)));
    const common = { method: request.method, headers, redirect: 'manual' } as const;
    if (body === undefined) return new Request(signed.url, common);
    if ('content' in body) return new Request(signed.url, { ...common, body: body.content } as RequestInit);
    const stream = Readable.toWeb(createReadStream(body.path)) as ReadableStream;
    return new Request(signed.url, { ...common, body: stream, duplex: 'half' } as RequestInit);
  }

  private address({ key, query = {} }: S3Request<unknown>): string {
    const path = key.split('/').map(encodePart).join('/');
    const search = Object.entries(query).map(([name, value]) => `${encodePart(name)}=${encodePart(value)}`);
    return `${this.place.base}/${path}${search.length === 0 ? '' : `?${search.join('&')}`}`;
  }

  /** Full jitter, so that many exporters do not come back at the same moment; a server that names a time is heard. */
  private waitMs(attempt: number, retryAfterMs: number | undefined): number {
    const longest = Math.min(this.patience.longestWaitMs, this.patience.firstWaitMs * 2 ** (attempt - 1));
    return Math.max(Math.random() * longest, Math.min(retryAfterMs ?? 0, this.patience.longestWaitMs));
  }
}

/** Ends an attempt in which nothing moves. An upload shows no progress, so it gets the time of the slowest one. */
class Watch {
  private readonly controller = new AbortController();
  private readonly outer: AbortSignal | undefined;
  private readonly silenceMs: number;
  private timer: NodeJS.Timeout;
  private readonly stop = () => this.controller.abort(this.outer?.reason);

  constructor({ silenceMs, slowestBytesPerSecond }: Patience, bytes: number, outer: AbortSignal | undefined) {
    this.silenceMs = silenceMs;
    this.outer = outer;
    outer?.addEventListener('abort', this.stop, { once: true });
    this.timer = this.start(silenceMs + (bytes / slowestBytesPerSecond) * 1000);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  touch(): void {
    clearTimeout(this.timer);
    this.timer = this.start(this.silenceMs);
  }

  end(): void {
    clearTimeout(this.timer);
    this.outer?.removeEventListener('abort', this.stop);
  }

  private start(afterMs: number): NodeJS.Timeout {
    const silence = () => this.controller.abort(new Error(`no answer for ${Math.round(afterMs / 1000)} s`));
    return setTimeout(silence, afterMs);
  }
}

function encodePart(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sizeOf(body: S3Body | undefined): number {
  if (body === undefined) return 0;
  return 'content' in body ? body.content.byteLength : body.bytes;
}

/** S3 compares it with what arrives, so that a damaged upload is refused. */
function hashOf(body: S3Body | undefined): string {
  if (body !== undefined && 'path' in body) return body.sha256;
  return createHash('sha256')
    .update(body?.content ?? '')
    .digest('hex');
}
