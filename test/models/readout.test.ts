import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { askReadouts } from '../../src/models/ask.js';
import { readLogprobs } from '../../src/models/logprobs.js';
import { PROVIDERS, readoutDecoding } from '../../src/models/resolve.js';
import type { Readout } from '../../src/rpl/readout.js';
import { makeSamples, modelAt, optionsFor, withServer } from './samples.js';
import { type Behaviour, isReadout, type Place, type RecordedRequest, startModelServer } from './server.js';

const test = suite('readout calls');

const OFFERING = ['openai', 'compatible', 'xai'] as const;
const PLACE: Place = [
  ['True', 0.5],
  ['False', 0.2],
  [' true', 0.1],
  ['The', 0.1],
];

interface Asked {
  readonly readouts: Readout[];
  readonly calls: readonly RecordedRequest[];
  readonly error: unknown;
}

/** Asks for readouts of a server that behaves in one way, or call by call. */
async function askWith(
  provider: (typeof OFFERING)[number],
  respond: (index: number) => Behaviour,
  count = 1,
): Promise<Asked> {
  const readouts: Readout[] = [];
  let asked: Asked = { readouts, calls: [], error: undefined };
  const server = startModelServer({ respond: (_request, index) => respond(index) });
  await withServer(server, async ({ origin, calls }) => {
    const model = await modelAt({ origin }, provider);
    const options = { ...optionsFor(model, count), decoding: readoutDecoding(provider) };
    let error: unknown;
    try {
      for await (const readout of askReadouts(options)) readouts.push(readout);
    } catch (thrown) {
      error = thrown;
    }
    asked = { readouts, calls: [...calls], error };
  });
  return asked;
}

for (const provider of OFFERING) {
  test(`${provider}: P(True) comes off the wire, asked for as its API wants it`, async () => {
    const { readouts, calls } = await askWith(provider, () => ({ type: 'word', places: [PLACE] }));
    const [readout] = readouts;
    assert.is(readout?.status, 'valid');
    assert.ok(Math.abs((readout?.probTrue ?? 0) - 0.75) < 1e-12, String(readout?.probTrue));
    assert.ok(Math.abs((readout?.massFalse ?? 0) - 0.2) < 1e-12);
    assert.is(readout?.tokens?.length, 4);
    assert.equal([readout?.answerText, readout?.temperature, readout?.tokensIn], ['True', 1, 90]);
    assert.is(readout?.modelResolved, 'test-model-2026-01-01');
    const [call] = calls;
    assert.ok(call !== undefined && isReadout(call));
    assert.is(call.body?.['temperature'], 1);
    assert.is(call.body?.['response_format'], undefined);
    const { topLogprobs, maxOutputTokens } = readoutDecoding(provider);
    assert.is(call.body?.['top_logprobs'], topLogprobs);
    const limit = call.body?.['max_tokens'] ?? call.body?.['max_completion_tokens'];
    assert.is(limit ?? call.body?.['max_output_tokens'], maxOutputTokens);
  });

  test(`${provider}: an answer without probabilities is counted as such and not asked for again`, async () => {
    const { readouts, calls } = await askWith(provider, () => ({ type: 'word' }));
    assert.equal([readouts[0]?.status, calls.length], ['no_logprobs', 1]);
    assert.is(readouts[0]?.answerText, 'True');
  });

  test(`${provider}: a model that wants to say something else is not counted, and not asked again`, async () => {
    const places: Place[] = [
      [
        ['As', 0.8],
        ['True', 0.15],
        ['False', 0.01],
      ],
    ];
    const { readouts, calls } = await askWith(provider, () => ({ type: 'word', places }));
    assert.equal([readouts[0]?.status, readouts[0]?.probTrue, calls.length], ['low_mass', null, 1]);
    assert.ok(Math.abs((readouts[0]?.massTrue ?? 0) - 0.15) < 1e-12);
  });

  test(`${provider}: 429, then good: one call more, both kept`, async () => {
    const { readouts } = await askWith(provider, (index) =>
      index === 0
        ? { type: 'error', status: 429, headers: { 'retry-after': '0' } }
        : { type: 'word', places: [PLACE] },
    );
    assert.equal(
      readouts.map(({ status, ordinal }) => [status, ordinal]),
      [
        ['failed', 1],
        ['valid', 2],
      ],
    );
  });

  test(`${provider}: a refusal is neither retried nor read`, async () => {
    const { readouts, calls } = await askWith(provider, () => ({ type: 'refusal' }));
    assert.equal([readouts[0]?.status, readouts[0]?.probTrue, calls.length], ['refused', null, 1]);
  });

  test(`${provider}: a model that declines the parameter has no probabilities; another 400 ends all`, async () => {
    const message = 'logprobs are not supported with this model.';
    const declined = await askWith(provider, () => ({ type: 'error', status: 400, message }), 3);
    assert.equal(
      declined.readouts.map(({ status, answerText, tokensIn }) => [status, answerText, tokensIn]),
      Array.from({ length: 3 }, () => ['no_logprobs', message, 0]),
    );
    assert.is(declined.error, undefined);
    const wrong = await askWith(provider, () => ({ type: 'error', status: 400, message: 'bad temperature' }));
    assert.instance(wrong.error, HxError);
  });
}

test('providers without token probabilities are refused by name, with those that have them', () => {
  const without = PROVIDERS.filter(({ readout }) => readout === undefined).map(({ name }) => name);
  assert.equal(without, ['anthropic', 'google']);
  for (const name of without) {
    let thrown: unknown;
    try {
      readoutDecoding(name);
    } catch (error) {
      thrown = error;
    }
    assert.ok(thrown instanceof HxError && thrown.code === 'usage');
    assert.match(thrown.message, name);
    assert.match(thrown.hint ?? '', /openai, xai, compatible or simulator/);
  }
});

test('a body of another form has no probabilities, and a strange one is no accident', () => {
  for (const body of [
    undefined,
    null,
    7,
    'text',
    {},
    { choices: [] },
    { choices: [{ logprobs: null }] },
    { choices: [{ logprobs: { content: 'x' } }] },
    {
      choices: [
        { logprobs: { content: [null, 1, { token: 1, logprob: -1 }, { token: 'a', logprob: 'x' }] } },
      ],
    },
    { output: [{ content: [{ logprobs: [] }] }] },
  ]) {
    assert.is(readLogprobs(body), null, JSON.stringify(body));
  }
  const content = [{ token: 'True', logprob: 1e-7, top_logprobs: [{ token: 'True', logprob: 1e-7 }, 3] }];
  assert.equal(readLogprobs({ choices: [{ logprobs: { content } }] }), [
    { chosen: { token: 'True', logprob: 0 }, top: [{ token: 'True', logprob: 0 }] },
  ]);
});

test('one readout that never gets an answer leaves the others; when none gets any, that is said', async () => {
  const some = await askWith(
    'compatible',
    (index) =>
      index === 0 || index > 4 ? { type: 'error', status: 500 } : { type: 'word', places: [PLACE] },
    5,
  );
  assert.is(some.error, undefined);
  const statuses = some.readouts.map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 'valid').length, 4);
  assert.equal(statuses.filter((status) => status === 'failed').length, 5);
  const none = await askWith('compatible', () => ({ type: 'error', status: 500 }), 2);
  assert.ok(none.error instanceof HxError && none.error.code === 'unavailable');
});

test('several readouts each get their own call', async () => {
  const { readouts, calls } = await askWith('compatible', () => ({ type: 'word', places: [PLACE] }), 5);
  assert.equal([readouts.length, calls.length], [5, 5]);
  assert.equal(
    new Set(readouts.map(({ sampleKey }) => sampleKey)),
    new Set(makeSamples(5).map(({ sampleKey }) => sampleKey)),
  );
});

test.run();
