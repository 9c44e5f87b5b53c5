import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the server behaves towards one request. */
export type Behaviour =
  | { readonly type: 'good'; readonly probTrue?: number }
  | { readonly type: 'fenced' | 'prose' | 'off-schema' | 'leak'; readonly probTrue?: number }
  | { readonly type: 'refusal' | 'truncated' | 'hang' | 'reset' | 'huge' | 'html' }
  /** Any text as the answer. */
  | { readonly type: 'text'; readonly text: string }
  /** An HTTP error in OpenAI's form. */
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
  /** Base URL, ending in `/v1`. */
  readonly baseUrl: string;
  /** Calls in the order of their arrival, `/models` left out. */
  readonly calls: readonly RecordedRequest[];
  /** Most calls that were open at once. */
  readonly widest: () => number;
  /** Calls that are open now. */
  readonly openCalls: () => number;
  close(): Promise<void>;
}

/** A strict answer as JSON text. */
export function answerJson(probTrue: number, reasons: readonly string[] = ['Because.']): string {
  return JSON.stringify({
    belief: { prob_true: probTrue, label: 'uncertain' },
    reasons,
    assumptions: [],
    uncertainties: [],
    flags: { refused: false, off_topic: false },
  });
}

/** A loopback server that speaks OpenAI's chat completions and Responses, and misbehaves when told to. */
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
    behave(response, behaviour, path.endsWith('/responses'), String(body?.['model']));
  };
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
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

function behave(response: ServerResponse, behaviour: Behaviour, isResponses: boolean, model: string): void {
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
    case 'error': {
      const { status, message = 'scripted', code = null, param = null, headers } = behaviour;
      sendJson(response, status, { error: { message, type: 'error', code, param } }, headers);
      return;
    }
    default:
      sendJson(response, 200, isResponses ? responsesBody(behaviour, model) : chatBody(behaviour, model));
  }
}

function textOf(behaviour: Behaviour): string {
  const probTrue = ('probTrue' in behaviour ? behaviour.probTrue : undefined) ?? 0.7;
  if (behaviour.type === 'text') return behaviour.text;
  if (behaviour.type === 'refusal') return 'I cannot help with that.';
  const json = answerJson(probTrue);
  if (behaviour.type === 'fenced') return `\`\`\`json\n${json}\n\`\`\``;
  if (behaviour.type === 'prose') return `My answer follows.\n${json}\nThat is my answer.`;
  if (behaviour.type === 'off-schema') return JSON.stringify({ probability: probTrue });
  if (behaviour.type === 'leak') return answerJson(probTrue, ['See https://example.org/page.']);
  return behaviour.type === 'truncated' ? json.slice(0, 40) : json;
}

const CREATED = 1_780_000_000;

function chatBody(behaviour: Behaviour, model: string): unknown {
  const isRefusal = behaviour.type === 'refusal';
  const text = textOf(behaviour);
  const message = isRefusal ? { content: null, refusal: text } : { content: text };
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: CREATED,
    model: `${model}-2026-01-01`,
    system_fingerprint: 'fp_test',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', ...message },
        finish_reason: behaviour.type === 'truncated' ? 'length' : 'stop',
      },
    ],
    usage: { prompt_tokens: 90, completion_tokens: 60, total_tokens: 150 },
  };
}

function responsesBody(behaviour: Behaviour, model: string): unknown {
  const isTruncated = behaviour.type === 'truncated';
  const text = textOf(behaviour);
  const content =
    behaviour.type === 'refusal'
      ? { type: 'refusal', refusal: text }
      : { type: 'output_text', text, annotations: [] };
  return {
    id: 'resp_1',
    object: 'response',
    created_at: CREATED,
    status: isTruncated ? 'incomplete' : 'completed',
    incomplete_details: isTruncated ? { reason: 'max_output_tokens' } : null,
    error: null,
    model: `${model}-2026-01-01`,
    output: [{ type: 'message', id: 'msg_1', status: 'completed', role: 'assistant', content: [content] }],
    usage: {
      input_tokens: 90,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 60,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 150,
    },
  };
}
