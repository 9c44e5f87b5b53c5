import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asksForLogprobs, requestedModel, WIRE, WIRE_NAMES, type WireFormat } from './wire.js';

export { answerJson } from './wire.js';

/** Tokens and their probabilities. */
export type Place = readonly (readonly [token: string, probability: number])[];

/** Whether a request asks for token probabilities, in either of OpenAI's formats. */
export function isReadout({ body }: Pick<RecordedRequest, 'body'>): boolean {
  return asksForLogprobs(body);
}

/** How the server behaves towards one request. */
export type Behaviour =
  | {
      readonly type: 'good';
      readonly probTrue?: number;
      /** The model as the answer names it. */
      readonly resolved?: string;
      readonly fingerprint?: string;
      /** Whether the answer reports its tokens; it does by default. */
      readonly hasUsage?: boolean;
    }
  | { readonly type: 'fenced' | 'prose' | 'off-schema' | 'leak'; readonly probTrue?: number }
  | { readonly type: 'refusal' | 'truncated' | 'hang' | 'reset' | 'huge' | 'html' }
  /**
   * An answer with token probabilities, where the request asks for them: of each place the likeliest tokens, the
   * chosen one first. Without `places` the server gives none.
   */
  | { readonly type: 'word'; readonly places?: readonly Place[]; readonly text?: string }
  /** Any JSON as the whole body of a 200. */
  | { readonly type: 'body'; readonly body: unknown }
  /** Any text as the answer. */
  | { readonly type: 'text'; readonly text: string }
  /** An HTTP error in the provider's own form. */
  | { readonly type: 'expired' }
  | {
      readonly type: 'error';
      readonly status: number;
      readonly message?: string;
      readonly code?: string;
      readonly param?: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The JSON body, null when there is none. */
  readonly body: Record<string, unknown> | null;
  /** Requests open at the moment this one came, itself included. */
  readonly openRequests: number;
  readonly atMs: number;
}

export interface ModelServerOptions {
  /** Decides on each answer; `index` counts calls (not `/models`) from 0. Good answers by default. */
  readonly respond?: (request: RecordedRequest, index: number) => Behaviour;
  /** Time before each response begins. */
  readonly latencyMs?: number;
  /** Ids that `/models` lists. */
  readonly models?: readonly string[];
}

export interface ModelServer {
  /** Base URL of OpenAI's formats, ending in `/v1`. */
  readonly baseUrl: string;
  /** The address without any path. */
  readonly origin: string;
  /** Calls in the order of their arrival, `/models` left out. */
  readonly calls: readonly RecordedRequest[];
  /** Most calls that were open at once. */
  readonly widest: () => number;
  /** Calls that are open now. */
  readonly openCalls: () => number;
  close(): Promise<void>;
}

/** A loopback server that speaks every provider's own format, and misbehaves when told to. */
export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const calls: RecordedRequest[] = [];
  let open = 0;
  const server = createServer((request, response) => {
    open += 1;
    response.once('close', () => {
      open -= 1;
    });
    handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '';
    if (path.endsWith('/models')) {
      sendModels(response, options.models ?? ['test-model']);
      return;
    }
    const atMs = performance.now();
    const openRequests = open;
    const text = await readText(request);
    const body = text === '' ? null : (JSON.parse(text) as Record<string, unknown>);
    const record = { method: request.method ?? '', path, headers: request.headers, body, openRequests, atMs };
    calls.push(record);
    const behaviour = options.respond?.(record, calls.length - 1) ?? { type: 'good' };
    if (options.latencyMs !== undefined) await new Promise((done) => setTimeout(done, options.latencyMs));
    const wire = WIRE_NAMES.map((name) => WIRE[name]).find(({ owns }) => owns(path));
    if (wire === undefined) sendJson(response, 404, { error: { message: `no such path: ${path}` } });
    else behave(response, behaviour, wire, body, requestedModel(path, body));
  };
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    baseUrl: `${origin}/v1`,
    calls,
    widest: () => Math.max(0, ...calls.map(({ openRequests }) => openRequests)),
    openCalls: () => open,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function sendModels(response: ServerResponse, ids: readonly string[]): void {
  sendJson(response, 200, { object: 'list', data: ids.map((id) => ({ id, object: 'model' })) });
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function behave(
  response: ServerResponse,
  behaviour: Behaviour,
  wire: WireFormat,
  body: RecordedRequest['body'],
  model: string,
): void {
  switch (behaviour.type) {
    case 'hang':
      return;
    case 'reset':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' });
      response.write('{"id":"cut');
      setTimeout(() => response.destroy(), 5);
      return;
    case 'huge':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(Buffer.alloc(10_000_000, ' '));
      return;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<!doctype html><title>Welcome</title>');
      return;
    case 'body':
      sendJson(response, 200, behaviour.body);
      return;
    case 'error': {
      const { status, message = 'scripted', code = null, param = null, headers } = behaviour;
      sendJson(response, status, wire.error(status, { message, code, param }), headers);
      return;
    }
    case 'expired': {
      const { status, message, code = null } = wire.expiredKey;
      sendJson(response, status, wire.error(status, { message, code, param: null }));
      return;
    }
    default:
      sendJson(response, 200, answerOf(behaviour, wire, body, model));
  }
}

function answerOf(
  behaviour: Behaviour,
  wire: WireFormat,
  body: RecordedRequest['body'],
  model: string,
): unknown {
  const answer = wire.answer(behaviour, model, body);
  const hasUsage = behaviour.type !== 'good' || behaviour.hasUsage !== false;
  return hasUsage ? answer : { ...(answer as object), usage: undefined, usageMetadata: undefined };
}
