import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { Hono } from 'hono';
import { HxError, messageOf, systemCode } from '../base/errors.js';

/** How long requests in flight may take to end once the server is told to stop. */
export const DRAIN_MS = 30_000;

/** A client that sends its headers or body slower than this is cut off. */
const HEADERS_TIMEOUT_MS = 8_000;
const REQUEST_TIMEOUT_MS = 9_000;
/** How often the deadlines are looked at; Node's own default of 30 s would let them pass unseen. */
const DEADLINE_CHECK_MS = 500;
const KEEP_ALIVE_MS = 5_000;

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

export interface RunningServer {
  /** For example `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Stops accepting, lets requests in flight end, then resolves; `false` when some had to be cut off. */
  stop(drainMs: number): Promise<boolean>;
}

/**
 * Listens.
 * @throws HxError `configuration` for an address beyond loopback without a token, `unavailable` when the
 *   address cannot be had.
 */
export async function listen(
  app: Hono,
  options: { host: string; port: number; token: string | undefined },
): Promise<RunningServer> {
  const { host, port, token } = options;
  if (token === undefined && !LOOPBACK.has(host)) {
    throw new HxError(
      'configuration',
      `Without HX_SERVE_TOKEN the server listens on loopback only, not on ${host}.`,
      {
        hint: 'Set HX_SERVE_TOKEN to a long random text, or leave --host out.',
      },
    );
  }
  const server = await new Promise<Server>((resolve, reject) => {
    const started = serve({
      fetch: app.fetch,
      hostname: host,
      port,
      serverOptions: { connectionsCheckingInterval: DEADLINE_CHECK_MS },
    }) as Server;
    started.once('listening', () => resolve(started));
    started.once('error', (error) => reject(cannotListen(host, port, error)));
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const { address, port: bound } = server.address() as AddressInfo;
  const shown = address.includes(':') ? `[${address}]` : address;
  return { url: `http://${shown}:${bound}`, stop: (drainMs) => drain(server, drainMs) };
}

function drain(server: Server, drainMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => {
      clean = false;
      server.closeAllConnections();
    }, drainMs);
    let clean = true;
    server.close(() => {
      clearTimeout(deadline);
      resolve(clean);
    });
    server.closeIdleConnections();
  });
}

function cannotListen(host: string, port: number, error: unknown): HxError {
  const taken = systemCode(error) === 'EADDRINUSE';
  const why = taken ? 'the port is taken' : messageOf(error);
  return new HxError('unavailable', `Cannot listen on ${host}:${port}: ${why}.`, {
    cause: error,
    hint: taken
      ? 'Choose another with --port, or stop what listens there.'
      : 'Choose another --host or --port.',
  });
}
