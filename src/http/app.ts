import { createHash, timingSafeEqual } from 'node:crypto';
import { Hono, type Context as HonoContext, type Next } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Context } from '../handlers/context.js';
import { invoke } from '../handlers/index.js';
import { checkRoutes } from './checks.js';
import { respondError, respondProblem } from './problem.js';

/** Largest request body. A claim has at most 2,000 characters; the rest is a few numbers. */
export const MAX_BODY_BYTES = 64 * 1_024;

export interface AppOptions {
  /** Makes the handler context of one request. */
  readonly contextOf: (request: Request) => Context;
  /** Bearer token that /v1 asks for; without one the server listens on loopback only. */
  readonly token: string | undefined;
  /** Whether the server is stopping: it is then no longer ready. */
  readonly isStopping: () => boolean;
  /** Told of every answered request. */
  readonly log: (entry: RequestLog) => void;
}

export interface RequestLog {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly duration_ms: number;
  /** Set when the request failed by a defect of ours. */
  readonly error?: unknown;
}

/** The HTTP door: turns requests into handler calls and errors into problem documents. */
export function makeApp({ contextOf, token, isStopping, log }: AppOptions): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    const startedMs = performance.now();
    await next();
    const { method, path } = c.req;
    const duration_ms = Math.round(performance.now() - startedMs);
    log({ method, path, status: c.res.status, duration_ms, ...(c.error ? { error: c.error } : {}) });
  });
  app.get('/livez', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    if (isStopping()) return respondProblem(c, 503, 'unavailable', 'The server is stopping.');
    return c.json(await invoke('ready', {}, contextOf(c.req.raw)));
  });
  app.use('/v1/*', token === undefined ? requireLoopbackHost : requireToken(token));
  app.use('/v1/*', requireJson);
  app.use(
    '/v1/*',
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: (c) => respondProblem(c, 413, 'too_large', `The body is larger than ${MAX_BODY_BYTES} bytes.`),
    }),
  );
  app.route('/v1/checks', checkRoutes(contextOf));
  app.notFound((c) => respondProblem(c, 404, 'not_found', `There is no ${c.req.method} ${c.req.path}.`));
  app.onError((error, c) => respondError(c, error));
  return app;
}

function requireToken(token: string) {
  const expected = digest(`Bearer ${token}`);
  return async (c: HonoContext, next: Next) => {
    // Digests have one length, so the comparison takes the same time for every guess.
    if (timingSafeEqual(digest(c.req.header('authorization') ?? ''), expected)) return next();
    c.header('www-authenticate', 'Bearer');
    return respondProblem(c, 401, 'unauthorized', 'The bearer token is missing or wrong.');
  };
}

/** Without a token only this machine may ask; a name that resolves to it (DNS rebinding) is not this machine. */
async function requireLoopbackHost(c: HonoContext, next: Next): Promise<Response | undefined> {
  const host = (c.req.header('host') ?? '').replace(/:\d+$/, '');
  if (['127.0.0.1', 'localhost', '[::1]'].includes(host)) {
    await next();
    return undefined;
  }
  return respondProblem(c, 403, 'refused', `This server answers to 127.0.0.1 and localhost, not to ${host}.`);
}

/** Only JSON is taken, which a web page of another origin cannot send without asking first. */
async function requireJson(c: HonoContext, next: Next): Promise<Response | undefined> {
  const type = c.req.header('content-type') ?? '';
  if (c.req.method === 'POST' && !/^application\/json\b/i.test(type)) {
    return respondProblem(c, 415, 'usage', 'The body must be application/json.');
  }
  await next();
  return undefined;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
