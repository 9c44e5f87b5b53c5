import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { ModelCallError, type Reply } from '../../src/models/model.js';
import { resolveModel } from '../../src/models/resolve.js';
import { ANSWER_SCHEMA } from '../../src/rpl/answer.js';
import { makeTestSettings, runHx } from '../helpers.js';
import {
  askAll,
  DECODING,
  makeSamples,
  modelAt,
  optionsFor,
  serverVariables,
  withServer,
} from './samples.js';
import { answerJson, type Behaviour, type RecordedRequest, startModelServer } from './server.js';
import { WIRE_NAMES, type WireName } from './wire.js';

/** What differs between providers, and nothing else. */
const PROVIDERS: Record<
  WireName,
  { model: string; key: string; secret: string; fingerprint: string | null }
> = {
  openai: { model: 'gpt-4.1', key: 'OPENAI_API_KEY', secret: 'sk-test-0123456789abcdef', fingerprint: null },
  anthropic: {
    model: 'claude-haiku-4-5',
    key: 'ANTHROPIC_API_KEY',
    secret: 'anthropic-secret',
    fingerprint: null,
  },
  google: { model: 'gemini-2.5-flash', key: 'GEMINI_API_KEY', secret: 'google-secret', fingerprint: null },
  xai: { model: 'grok-4', key: 'XAI_API_KEY', secret: 'xai-secret', fingerprint: 'fp_test' },
  compatible: {
    model: 'llama3.2',
    key: 'HX_COMPATIBLE_API_KEY',
    secret: 'compatible-secret',
    fingerprint: 'fp_test',
  },
};

interface Called {
  readonly reply: Reply | undefined;
  readonly error: unknown;
  readonly calls: readonly RecordedRequest[];
}

async function callOnce(behaviour: Behaviour, provider: WireName, name = PROVIDERS[provider].model) {
  const server = await startModelServer({ respond: () => behaviour });
  try {
    const [sample] = makeSamples(1);
    if (sample === undefined) throw new Error('no sample');
    const model = await modelAt(server, provider, name);
    return await model.ask(sample, DECODING, new AbortController().signal, 1).then(
      (reply): Called => ({ reply, error: undefined, calls: server.calls }),
      (error: unknown): Called => ({ reply: undefined, error, calls: server.calls }),
    );
  } finally {
    await server.close();
  }
}

async function failureOf(behaviour: Behaviour, provider: WireName): Promise<ModelCallError> {
  const { error } = await callOnce(behaviour, provider);
  assert.instance(error, ModelCallError);
  return error as ModelCallError;
}

for (const provider of WIRE_NAMES) {
  const { model, key, secret, fingerprint } = PROVIDERS[provider];

  test(`${provider}: a reply carries text, names and tokens as sent`, async () => {
    const { reply } = await callOnce({ type: 'good', probTrue: 0.35 }, provider);
    assert.equal(reply, {
      text: answerJson(0.35),
      finish: 'stop',
      modelResolved: `${model}-2026-01-01`,
      systemFingerprint: fingerprint,
      tokensIn: 90,
      tokensOut: 60,
    });
  });

  test(`${provider}: the temperature and the length limit are sent, the key as a header, no stream`, async () => {
    const { calls } = await callOnce({ type: 'good' }, provider);
    const [call] = calls;
    const body = (call?.body ?? {}) as Record<string, unknown>;
    const decoding = (body['generationConfig'] ?? body) as Record<string, unknown>;
    const limit = ['max_output_tokens', 'max_tokens', 'maxOutputTokens', 'max_completion_tokens'];
    assert.is(decoding['temperature'], 0.7);
    assert.equal(
      limit.flatMap((name) => decoding[name] ?? []),
      [512],
    );
    assert.match(JSON.stringify(call?.headers), secret);
    assert.not.match(call?.path ?? '', secret);
    assert.not.ok(body['stream']);
    assert.match(JSON.stringify(body), 'prob_true');
  });

  const readings = {
    good: 'valid',
    fenced: 'repaired',
    prose: 'repaired',
    'off-schema': 'invalid',
    refusal: 'refused',
    truncated: 'truncated',
    leak: 'leaked',
  } as const;
  for (const [type, status] of Object.entries(readings)) {
    test(`${provider}: ${type} is read as ${status}`, async () => {
      const respond = (): Behaviour => ({ type: type as keyof typeof readings });
      await withServer(startModelServer({ respond }), async (server) => {
        const { attempts, error } = await askAll(optionsFor(await modelAt(server, provider, model), 1));
        assert.is(error, undefined);
        assert.is(attempts[0]?.status, status);
        assert.is(attempts[0]?.modelResolved, `${model}-2026-01-01`);
      });
    });
  }

  for (const status of [429, 500, 503, 529]) {
    test(`${provider}: ${status} is retryable, after the seconds or until the date it names`, async () => {
      const inSeconds = await failureOf({ type: 'error', status, headers: { 'retry-after': '2' } }, provider);
      assert.equal([inSeconds.kind, inSeconds.status, inSeconds.retryAfterMs], ['retryable', status, 2_000]);
      assert.is(inSeconds.message, `${provider} answered ${status}: scripted.`);
      const headers = {
        date: 'Thu, 01 Jan 2026 01:00:20 GMT',
        'retry-after': 'Thu, 01 Jan 2026 01:00:27 GMT',
      };
      assert.is((await failureOf({ type: 'error', status, headers }, provider)).retryAfterMs, 7_000);
      const silent = await failureOf({ type: 'error', status }, provider);
      assert.equal([silent.kind, silent.retryAfterMs], ['retryable', null]);
    });
  }

  test(`${provider}: a reset in mid-body, a 10 MB body and a page of HTML are retryable`, async () => {
    const reset = await failureOf({ type: 'reset' }, provider);
    assert.equal([reset.kind, reset.status], ['retryable', null]);
    const huge = await failureOf({ type: 'huge' }, provider);
    assert.is(huge.kind, 'retryable');
    assert.match(huge.message, 'more than 1000 kB');
    const html = await failureOf({ type: 'html' }, provider);
    assert.is(html.kind, 'retryable');
    assert.match(html.message, 'text/html');
  });

  test(`${provider}: a call that hangs is given up and made again`, async () => {
    const respond = (_: unknown, index: number): Behaviour => ({ type: index === 0 ? 'hang' : 'good' });
    await withServer(startModelServer({ respond }), async (server) => {
      const options = optionsFor(await modelAt(server, provider, model), 1, { deadlineMs: 100 });
      const { attempts } = await askAll(options);
      assert.equal(
        attempts.map(({ status }) => status),
        ['failed', 'valid'],
      );
    });
  });

  test(`${provider}: an expired key ends everything with exit code 3, naming ${key}, no secret shown`, async () => {
    await withServer(startModelServer({ respond: () => ({ type: 'expired' }) }), async (server) => {
      const argv = ['research', 'A claim', '--model', `${provider}/${model}`, '--concurrency', '2'];
      const { exitCode, stdout, stderr } = await runHx(argv, { env: serverVariables(server.origin) });
      assert.is(exitCode, 3);
      assert.match(stderr, key);
      assert.not.match(stdout + stderr, secret);
      assert.ok(server.calls.length <= 2, String(server.calls.length));
    });
  });

  test(`${provider}: a secret that an error repeats is masked, an unknown model is fatal`, async () => {
    const repeated = await failureOf({ type: 'error', status: 403, message: `no ${secret} here` }, provider);
    assert.is(repeated.kind, 'credentials');
    assert.not.match(repeated.message, secret);
    assert.is((await failureOf({ type: 'error', status: 404 }, provider)).kind, 'fatal');
  });
}

test('anthropic gets the schema as structured output, or as a tool where the model has none', async () => {
  const { calls } = await callOnce({ type: 'good' }, 'anthropic');
  const body = calls[0]?.body as Record<string, { format?: { type: string; schema: unknown } }>;
  assert.is(body['output_config']?.format?.type, 'json_schema');
  assert.is(body['tools'], undefined);
  const older = await callOnce({ type: 'good' }, 'anthropic', 'claude-3-5-haiku-latest');
  assert.equal(older.calls[0]?.body?.['tool_choice'], {
    type: 'any',
    disable_parallel_tool_use: true,
  });
  assert.is((older.calls[0]?.body?.['tools'] as { name: string }[] | undefined)?.length, 1);
  assert.equal([older.reply?.text, older.reply?.finish], [answerJson(0.7), 'stop']);
});

test('google gets the schema in its own dialect, and the least thinking that the model takes', async () => {
  const config = async (name: string) =>
    (await callOnce({ type: 'good' }, 'google', name)).calls[0]?.body?.['generationConfig'] as Record<
      string,
      unknown
    >;
  const flash = await config('gemini-2.5-flash');
  assert.equal(
    [flash['responseMimeType'], flash['thinkingConfig']],
    ['application/json', { thinkingBudget: 0 }],
  );
  assert.equal(
    (flash['responseSchema'] as { required: unknown }).required,
    ANSWER_SCHEMA.required as unknown as string[],
  );
  assert.equal((await config('gemini-2.5-pro'))['thinkingConfig'], { thinkingBudget: 128 });
  assert.equal((await config('gemini-3-pro-preview'))['thinkingConfig'], { thinkingLevel: 'low' });
  assert.is((await config('gemini-2.0-flash'))['thinkingConfig'], undefined);
});

test('xai gets the schema, strict', async () => {
  const { calls } = await callOnce({ type: 'good' }, 'xai');
  assert.equal(calls[0]?.body?.['response_format'], {
    type: 'json_schema',
    json_schema: { name: 'answer', schema: ANSWER_SCHEMA, strict: true },
  });
});

test('a model that takes no temperature is never called, so nothing is paid for', async () => {
  const { error, calls } = await callOnce({ type: 'good' }, 'anthropic', 'claude-opus-4-7');
  assert.instance(error, ModelCallError);
  assert.equal([(error as ModelCallError).kind, calls.length], ['fatal', 0]);
  assert.match((error as ModelCallError).message, 'temperature');
});

test('google names its wait in the body', async () => {
  const failure = await failureOf({ type: 'error', status: 429, code: 'RATE_LIMIT_EXCEEDED' }, 'google');
  assert.equal([failure.kind, failure.retryAfterMs], ['retryable', 37_500]);
});

test('an account without credit is about credentials, in the words of each provider', async () => {
  const cases: [WireName, number, string][] = [
    ['anthropic', 400, 'Your credit balance is too low to access the API.'],
    ['xai', 429, 'Your team has either used all available credits or reached its monthly spending limit.'],
    ['compatible', 402, 'Payment required'],
  ];
  for (const [provider, status, message] of cases) {
    const failure = await failureOf({ type: 'error', status, message }, provider);
    assert.is(failure.kind, 'credentials', provider);
    assert.match(failure.hint ?? '', PROVIDERS[provider].key);
    assert.match(failure.hint ?? '', 'no credit');
  }
});

test('an error inside a 200 is told in its own words, and may pass', async () => {
  const failed = (error: unknown) => ({
    ...{ id: 'resp_1', object: 'response', created_at: 1, status: 'failed', model: 'gpt-4.1', error },
    ...{ incomplete_details: null, output: [], usage: null },
  });
  const message = 'The server had an error.';
  const cases: [WireName, unknown][] = [
    ['openai', failed({ code: 'server_error', message })],
    // With a type the SDK takes it for a 400.
    ['openai', { ...failed({ code: 'server_error', type: 'server_error', message }), usage: undefined }],
    ['compatible', { error: { message, code: 502 } }],
    ['xai', { code: 'The service is currently unavailable', error: message }],
  ];
  for (const [provider, body] of cases) {
    const { kind, status, message: told } = await failureOf({ type: 'body', body }, provider);
    assert.equal([kind, status], ['retryable', 200], JSON.stringify(body));
    assert.is(told, `${provider} answered 200 with an error in the place of an answer: ${message}`);
  }
});

test('a prompt or an answer that is flagged by a 400 is a refusal, not a malformed request', async () => {
  const cases: [WireName, string][] = [
    ['openai', 'Invalid prompt: your prompt was flagged as potentially violating our usage policy.'],
    ['anthropic', 'Output blocked by content filtering policy'],
  ];
  for (const [provider, message] of cases) {
    const { reply } = await callOnce({ type: 'error', status: 400, message }, provider);
    assert.equal([reply?.finish, reply?.text, reply?.tokensIn], ['refusal', message, null]);
  }
});

test('xai refuses a prompt by an error', async () => {
  const message = 'Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_TEST';
  const { reply } = await callOnce({ type: 'error', status: 403, message }, 'xai');
  assert.equal([reply?.finish, reply?.text], ['refusal', message]);
});

test('bare names belong to their providers, and base URLs get the API version they lack', async () => {
  const variables = serverVariables('http://127.0.0.1:9');
  const identityOf = async (name: string) => (await resolveModel(name, makeTestSettings(variables))).identity;
  const found = await Promise.all(
    ['gpt-4o', 'claude-haiku-4-5', 'gemini-2.5-flash', 'grok-4'].map(identityOf),
  );
  assert.equal(
    found.map(({ model, baseUrl }) => [model, baseUrl]),
    [
      ['openai/gpt-4o', 'http://127.0.0.1:9/v1'],
      ['anthropic/claude-haiku-4-5', 'http://127.0.0.1:9/v1'],
      ['google/gemini-2.5-flash', 'http://127.0.0.1:9/v1beta'],
      ['xai/grok-4', 'http://127.0.0.1:9/xai/v1'],
    ],
  );
});

test('the key of google has two names; the usual one goes first', async () => {
  await withServer(startModelServer(), async (server) => {
    const [sample] = makeSamples(1);
    if (sample === undefined) throw new Error('no sample');
    const keyFor = async (keys: Record<string, string>) => {
      const settings = makeTestSettings({ GOOGLE_GEMINI_BASE_URL: server.origin, ...keys });
      const model = await resolveModel('gemini-2.5-flash', settings);
      await model.ask(sample, DECODING, new AbortController().signal, 1);
      return server.calls.at(-1)?.headers['x-goog-api-key'];
    };
    assert.is(await keyFor({ GOOGLE_API_KEY: 'other' }), 'other');
    assert.is(await keyFor({ GOOGLE_API_KEY: 'other', GEMINI_API_KEY: 'usual' }), 'usual');
  });
  const error = await resolveModel('gemini-2.5-flash', makeTestSettings()).catch((thrown: unknown) => thrown);
  assert.instance(error, HxError);
  assert.match((error as HxError).message, 'GEMINI_API_KEY');
});

test('usage that a provider does not report is unknown, not zero', async () => {
  for (const provider of ['xai', 'compatible', 'google'] as const) {
    const { reply } = await callOnce({ type: 'good', hasUsage: false }, provider);
    assert.equal([reply?.tokensIn, reply?.tokensOut], [null, null], provider);
  }
});

test.run();
