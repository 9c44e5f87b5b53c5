import type { Behaviour } from './server.js';

/** How one provider's API looks on the wire. */
export interface WireFormat {
  /** What comes between the server's address and the paths of the API. */
  readonly basePath: string;
  /** Whether a request's path is a call of this API. */
  readonly owns: (path: string) => boolean;
  readonly answer: (behaviour: Behaviour, model: string, body: Record<string, unknown> | null) => unknown;
  readonly error: (status: number, said: ErrorSaid) => unknown;
  /** What an expired key is answered with. */
  readonly expiredKey: { readonly status: number; readonly message: string; readonly code?: string };
}

export interface ErrorSaid {
  readonly message: string;
  readonly code: string | null;
  readonly param: string | null;
}

export type WireName = 'openai' | 'anthropic' | 'google' | 'xai' | 'compatible';

const CREATED = 1_780_000_000;

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

function textOf(behaviour: Behaviour): string {
  const probTrue = ('probTrue' in behaviour ? behaviour.probTrue : undefined) ?? 0.7;
  if (behaviour.type === 'text') return behaviour.text;
  if (behaviour.type === 'word') {
    return (
      behaviour.text ?? (behaviour.places ?? [[['True', 1] as const]]).map(([first]) => first?.[0]).join('')
    );
  }
  // No words by which a refusal could be told from any other answer: the format alone says it.
  if (behaviour.type === 'refusal') return 'Declined.';
  const json = answerJson(probTrue);
  if (behaviour.type === 'fenced') return `\`\`\`json\n${json}\n\`\`\``;
  if (behaviour.type === 'prose') return `My answer follows.\n${json}\nThat is my answer.`;
  if (behaviour.type === 'off-schema') return JSON.stringify({ probability: probTrue });
  if (behaviour.type === 'leak') return answerJson(probTrue, ['See https://example.org/page.']);
  return behaviour.type === 'truncated' ? json.slice(0, 40) : json;
}

const resolvedName = (behaviour: Behaviour, model: string) =>
  ('resolved' in behaviour ? behaviour.resolved : undefined) ?? `${model}-2026-01-01`;

export function asksForLogprobs(body: Record<string, unknown> | null): boolean {
  const include = body?.['include'];
  return (
    body?.['logprobs'] === true ||
    (Array.isArray(include) && include.includes('message.output_text.logprobs'))
  );
}

/** Token probabilities as both of OpenAI's formats write them; null when none were asked for or are given. */
function logprobsOf(behaviour: Behaviour, body: Record<string, unknown> | null): unknown[] | null {
  if (behaviour.type !== 'word' || behaviour.places === undefined || !asksForLogprobs(body)) return null;
  return behaviour.places.map((place) => {
    const tokens = place.map(([token, probability]) => ({
      token,
      logprob: Math.log(probability),
      bytes: [...Buffer.from(token)],
    }));
    return { ...tokens[0], top_logprobs: tokens };
  });
}

const outputTokens = (behaviour: Behaviour) => (behaviour.type === 'word' ? 2 : 60);

function chatAnswer(
  behaviour: Behaviour,
  model: string,
  body: Record<string, unknown> | null,
): Record<string, unknown> {
  const logprobs = logprobsOf(behaviour, body);
  const text = textOf(behaviour);
  const message =
    behaviour.type === 'refusal' ? { content: null, refusal: text } : { content: text, refusal: null };
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: CREATED,
    model: resolvedName(behaviour, model),
    system_fingerprint: ('fingerprint' in behaviour ? behaviour.fingerprint : undefined) ?? 'fp_test',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', ...message },
        logprobs: logprobs === null ? null : { content: logprobs, refusal: null },
        finish_reason: behaviour.type === 'truncated' ? 'length' : 'stop',
      },
    ],
    usage: {
      prompt_tokens: 90,
      completion_tokens: outputTokens(behaviour),
      total_tokens: 90 + outputTokens(behaviour),
    },
  };
}

function responsesAnswer(behaviour: Behaviour, model: string, body: Record<string, unknown> | null): unknown {
  const isTruncated = behaviour.type === 'truncated';
  const text = textOf(behaviour);
  const content =
    behaviour.type === 'refusal'
      ? { type: 'refusal', refusal: text }
      : { type: 'output_text', text, annotations: [], logprobs: logprobsOf(behaviour, body) ?? [] };
  return {
    id: 'resp_1',
    object: 'response',
    created_at: CREATED,
    status: isTruncated ? 'incomplete' : 'completed',
    incomplete_details: isTruncated ? { reason: 'max_output_tokens' } : null,
    error: null,
    model: resolvedName(behaviour, model),
    output: [{ type: 'message', id: 'msg_1', status: 'completed', role: 'assistant', content: [content] }],
    usage: {
      input_tokens: 90,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: outputTokens(behaviour),
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 90 + outputTokens(behaviour),
    },
  };
}

/** xAI counts reasoning beside the completion, not in it. */
function xaiAnswer(behaviour: Behaviour, model: string, body: Record<string, unknown> | null): unknown {
  return {
    ...chatAnswer(behaviour, model, body),
    usage: {
      prompt_tokens: 90,
      completion_tokens: 50,
      total_tokens: 150,
      prompt_tokens_details: { text_tokens: 90, audio_tokens: 0, image_tokens: 0, cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 10, audio_tokens: 0 },
      num_sources_used: 0,
    },
    citations: null,
  };
}

/** A model that must call a tool answers in the tool's input. */
function anthropicAnswer(behaviour: Behaviour, model: string, body: Record<string, unknown> | null): unknown {
  const isTool = body?.['tools'] !== undefined;
  const text = textOf(behaviour);
  const part = isTool
    ? { type: 'tool_use', id: 'toolu_1', name: 'json', input: JSON.parse(text) }
    : { type: 'text', text };
  const stops: Partial<Record<Behaviour['type'], string>> = { refusal: 'refusal', truncated: 'max_tokens' };
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: resolvedName(behaviour, model),
    content: behaviour.type === 'refusal' ? [] : [part],
    stop_reason: stops[behaviour.type] ?? (isTool ? 'tool_use' : 'end_turn'),
    stop_sequence: null,
    usage: {
      input_tokens: 90,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 60,
      service_tier: 'standard',
    },
  };
}

/** A prompt that Google blocks gets no candidate at all. */
function googleAnswer(behaviour: Behaviour, model: string): unknown {
  const usageMetadata = { promptTokenCount: 90, candidatesTokenCount: 60, totalTokenCount: 150 };
  const envelope = { modelVersion: resolvedName(behaviour, model), responseId: 'r-1' };
  if (behaviour.type === 'refusal') {
    return {
      promptFeedback: { blockReason: 'PROHIBITED_CONTENT' },
      usageMetadata: { promptTokenCount: 90, totalTokenCount: 90 },
      ...envelope,
    };
  }
  const finishReason = behaviour.type === 'truncated' ? 'MAX_TOKENS' : 'STOP';
  const content = { role: 'model', parts: [{ text: textOf(behaviour) }] };
  return { candidates: [{ index: 0, content, finishReason }], usageMetadata, ...envelope };
}

const openaiError = (_status: number, { message, code, param }: ErrorSaid) => ({
  error: { message, type: 'invalid_request_error', code, param },
});

const ANTHROPIC_ERRORS: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

const anthropicError = (status: number, { message }: ErrorSaid) => ({
  type: 'error',
  error: { type: ANTHROPIC_ERRORS[status] ?? 'api_error', message },
  request_id: 'req_1',
});

const GOOGLE_STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

const googleError = (status: number, { message, code }: ErrorSaid) => ({
  error: {
    code: status,
    message,
    status: GOOGLE_STATUSES[status] ?? 'UNKNOWN',
    details:
      code === null
        ? []
        : [
            { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: code, domain: 'googleapis.com' },
            { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '37.5s' },
          ],
  },
});

const xaiError = (_status: number, { message, code }: ErrorSaid) => ({
  code: code ?? 'The request could not be served',
  error: message,
});

export const WIRE: Readonly<Record<WireName, WireFormat>> = {
  openai: {
    basePath: '/v1',
    owns: (path) => path === '/v1/responses',
    answer: responsesAnswer,
    error: openaiError,
    expiredKey: { status: 401, message: 'Incorrect API key provided.', code: 'invalid_api_key' },
  },
  anthropic: {
    basePath: '/v1',
    owns: (path) => path === '/v1/messages',
    answer: anthropicAnswer,
    error: anthropicError,
    expiredKey: { status: 401, message: 'invalid x-api-key' },
  },
  google: {
    basePath: '/v1beta',
    owns: (path) => path.startsWith('/v1beta/models/') && path.endsWith(':generateContent'),
    answer: googleAnswer,
    error: googleError,
    expiredKey: {
      status: 400,
      message: 'API key expired. Please renew the API key.',
      code: 'API_KEY_INVALID',
    },
  },
  xai: {
    basePath: '/xai/v1',
    owns: (path) => path === '/xai/v1/chat/completions',
    answer: xaiAnswer,
    error: xaiError,
    expiredKey: {
      status: 400,
      message: 'Incorrect API key provided: xa***ey. You can obtain an API key from https://console.x.ai.',
      code: 'Client specified an invalid argument',
    },
  },
  compatible: {
    basePath: '/v1',
    owns: (path) => path === '/v1/chat/completions',
    answer: chatAnswer,
    error: openaiError,
    expiredKey: { status: 401, message: 'Unauthorized' },
  },
};

export const WIRE_NAMES = Object.keys(WIRE) as WireName[];

/** The model that a request is for: in its body, or in Google's path. */
export function requestedModel(path: string, body: Record<string, unknown> | null): string {
  return /\/models\/([^/:]+):/.exec(path)?.[1] ?? String(body?.['model']);
}
