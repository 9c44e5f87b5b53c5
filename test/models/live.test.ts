import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ModelCallError } from '../../src/models/model.js';
import { ANSWER_SCHEMA } from '../../src/rpl/answer.js';
import { DECODING, makeSamples, modelAt } from './samples.js';
import { type Behaviour, startModelServer } from './server.js';

const [SAMPLE] = makeSamples(1);
const PROVIDERS = ['openai', 'compatible'] as const;
const never = new AbortController().signal;

async function callOnce(behaviour: Behaviour, provider: 'openai' | 'compatible', name?: string) {
  const server = await startModelServer({ respond: () => behaviour });
  try {
    if (SAMPLE === undefined) throw new Error('no sample');
    const model = await modelAt(server, provider, name);
    return await model.ask(SAMPLE, DECODING, never, 1).then(
      (reply) => ({ reply, error: undefined, calls: server.calls }),
      (error: unknown) => ({ reply: undefined, error, calls: server.calls }),
    );
  } finally {
    await server.close();
  }
}

async function failureOf(behaviour: Behaviour, provider: 'openai' | 'compatible', name?: string) {
  const { error } = await callOnce(behaviour, provider, name);
  assert.instance(error, ModelCallError);
  return error as ModelCallError;
}

test('openai sends the Responses format with explicit decoding and a strict schema', async () => {
  const { calls } = await callOnce({ type: 'good' }, 'openai');
  assert.is(calls[0]?.path, '/v1/responses');
  assert.is(calls[0]?.headers['authorization'], 'Bearer sk-test-0123456789abcdef');
  assert.equal(calls[0]?.body, {
    model: 'test-model',
    input: [
      { role: 'system', content: 'Answer in JSON.' },
      { role: 'user', content: [{ type: 'input_text', text: 'Wording 0: Water is wet.' }] },
    ],
    temperature: 0.7,
    max_output_tokens: 512,
    text: { format: { type: 'json_schema', strict: true, name: 'answer', schema: ANSWER_SCHEMA } },
    store: false,
  });
});

test('compatible sends chat completions with explicit decoding and a strict schema', async () => {
  const { calls } = await callOnce({ type: 'good' }, 'compatible');
  assert.is(calls[0]?.path, '/v1/chat/completions');
  assert.is(calls[0]?.headers['authorization'], 'Bearer compatible-secret');
  assert.equal(calls[0]?.body, {
    model: 'test-model',
    max_tokens: 512,
    temperature: 0.7,
    response_format: {
      type: 'json_schema',
      json_schema: { schema: ANSWER_SCHEMA, strict: true, name: 'answer' },
    },
    messages: [
      { role: 'system', content: 'Answer in JSON.' },
      { role: 'user', content: 'Wording 0: Water is wet.' },
    ],
  });
});

test('a model that the SDK takes for a reasoning model still gets the temperature', async () => {
  const { calls } = await callOnce({ type: 'good' }, 'openai', 'gpt-5-mini');
  assert.is(calls[0]?.body?.['temperature'], 0.7);
});

for (const provider of PROVIDERS) {
  test(`${provider}: a temperature that the model does not take fails in the provider's words`, async () => {
    const message = "Unsupported parameter: 'temperature' is not supported with this model.";
    const error = await failureOf(
      { type: 'error', status: 400, message, param: 'temperature' },
      provider,
      'o3',
    );
    assert.is(error.kind, 'fatal');
    assert.is(error.message, `${provider} answered 400: ${message}`);
    assert.match(error.hint ?? '', 'Choose a model that takes one');
  });

  test(`${provider}: a 404 is fatal, a content filter a refusal, an empty account about credentials`, async () => {
    assert.is((await failureOf({ type: 'error', status: 404 }, provider)).kind, 'fatal');
    const filtered = await callOnce({ type: 'error', status: 400, code: 'content_filter' }, provider);
    assert.is(filtered.reply?.finish, 'refusal');
    const broke = await failureOf({ type: 'error', status: 429, code: 'insufficient_quota' }, provider);
    assert.is(broke.kind, 'credentials');
  });
}

test('control characters in a provider message do not reach the terminal', async () => {
  const error = await failureOf({ type: 'error', status: 400, message: 'bad\u001b[31m\nthing' }, 'openai');
  assert.is(error.message, 'openai answered 400: bad [31m thing.');
});

test.run();
