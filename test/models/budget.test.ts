import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { Budget, Purse } from '../../src/models/budget.js';
import { type Model, ModelCallError, type Reply } from '../../src/models/model.js';
import { likelyTokens, mostTokens } from '../../src/models/worst-case.js';
import { costOfTokens } from '../../src/rpl/price.js';
import { askAll, DECODING, makeSamples, modelAt, optionsFor, withServer } from './samples.js';
import { answerJson, startModelServer } from './server.js';

/** A model whose calls end in any order, cost anything up to their worst case, fail, or leave their cost unsaid. */
function erraticModel(
  draw: () => number,
  charge: (tokens: { input: number; output: number }) => void,
): Model {
  return {
    identity: { model: 'test/erratic', provider: 'test', baseUrl: null, simulated: false },
    async ask(sample): Promise<Reply> {
      const most = mostTokens(sample, DECODING);
      const used = {
        input: 1 + Math.floor(draw() * most.input),
        output: Math.floor(draw() * (most.output + 1)),
      };
      const fate = draw();
      if (draw() < 0.5) await new Promise((done) => setImmediate(done));
      if (fate < 0.1) throw new ModelCallError('busy', { kind: 'retryable', status: 503 });
      charge(used);
      if (fate < 0.15) throw new ModelCallError('cut off', { kind: 'retryable' });
      const isSilent = fate < 0.2;
      return {
        text: fate < 0.3 ? 'nonsense' : answerJson(0.5),
        finish: 'stop',
        modelResolved: null,
        systemFingerprint: null,
        tokensIn: isSilent ? null : used.input,
        tokensOut: isSilent ? null : used.output,
      };
    },
  };
}

test('1,000 random invocations of several claims each: never above the limit', async () => {
  let stopped = 0;
  let finished = 0;
  const invocation = fc.record({
    seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    concurrency: fc.integer({ min: 1, max: 32 }),
    samples: fc.integer({ min: 1, max: 20 }),
    claims: fc.integer({ min: 1, max: 3 }),
    limitUsd: fc.double({ min: 0, max: 0.2, noNaN: true }),
    price: fc.record({
      inputUsd: fc.double({ min: 0, max: 20, noNaN: true }),
      outputUsd: fc.double({ min: 0, max: 80, noNaN: true }),
    }),
  });
  await fc.assert(
    fc.asyncProperty(invocation, async ({ seed, concurrency, samples, claims, limitUsd, price }) => {
      let state = seed;
      const draw = () => {
        state = (state * 48_271) % 2_147_483_647;
        return state / 2_147_483_647;
      };
      let chargedUsd = 0;
      const model = erraticModel(draw, (tokens) => {
        chargedUsd += costOfTokens(tokens, price);
      });
      const budget = new Budget(new Purse(limitUsd), price);
      const options = optionsFor(model, samples, { concurrency, budget });
      for (let claim = 0; claim < claims; claim += 1) {
        const { error } = await askAll(options);
        if (error instanceof HxError && error.code === 'stopped') stopped += 1;
        else finished += 1;
      }
      assert.ok(chargedUsd <= limitUsd + 1e-6, `${chargedUsd} charged of ${limitUsd}`);
      assert.ok(budget.spentUsd >= chargedUsd - 1e-6, 'what was charged is known or assumed');
    }),
    { numRuns: 1_000 },
  );
  assert.ok(stopped > 100 && finished > 100, `${stopped} stopped, ${finished} finished`);
});

test('what is set aside comes back when a call costs less', () => {
  const budget = new Budget(new Purse(1), { inputUsd: 1, outputUsd: 1 });
  const most = { input: 600_000, output: 0 };
  assert.is(budget.reserve(most), true);
  assert.is(budget.reserve(most), false);
  budget.settle(most, { input: 400_000, output: 0 });
  assert.is(budget.spentUsd, 0.4);
  assert.is(budget.reserve(most), true);
  budget.settle(most, null);
  assert.is(budget.spentUsd, 1);
  assert.is(budget.reserve({ input: 1, output: 0 }), false);
});

test('the limit is reached with calls in flight: they end, then it stops, resumable', async () => {
  await withServer(startModelServer(), async (server) => {
    const model = await modelAt(server, 'compatible');
    const price = { inputUsd: 1, outputUsd: 1 };
    const [sample] = makeSamples(1);
    if (sample === undefined) throw new Error('no sample');
    const worstUsd = costOfTokens(mostTokens(sample, DECODING), price);
    const budget = new Budget(new Purse(worstUsd + 10.5 * 150e-6), price);
    const { attempts, error } = await askAll(optionsFor(model, 40, { budget }));
    assert.is(attempts.length, 11);
    assert.equal([(error as HxError).code, (error as HxError).exitCode], ['stopped', 4]);
    assert.match((error as HxError).hint ?? '', '--max-cost');
  });
});

test('two models with one purse: what one has set aside comes back to the other', async () => {
  await withServer(startModelServer({ latencyMs: 5 }), async (server) => {
    const price = { inputUsd: 1, outputUsd: 1 };
    const [sample] = makeSamples(1);
    if (sample === undefined) throw new Error('no sample');
    const worstUsd = costOfTokens(mostTokens(sample, DECODING), price);
    const asked = async (limitUsd: number) => {
      const purse = new Purse(limitUsd);
      const models = await Promise.all(['a', 'b'].map((name) => modelAt(server, 'compatible', name)));
      const budget = () => new Budget(purse, price);
      return Promise.all(models.map((model) => askAll(optionsFor(model, 20, { budget: budget() }))));
    };
    // Room for one call at a time, and for all in the end.
    const enough = await asked(worstUsd + 40 * 150e-6);
    assert.equal(
      enough.map(({ attempts, error }) => [attempts.length, error]),
      [
        [20, undefined],
        [20, undefined],
      ],
    );
    const short = await asked(worstUsd + 10.5 * 150e-6);
    assert.equal(
      short.map(({ error }) => (error as HxError).code),
      ['stopped', 'stopped'],
    );
    assert.is(short[0] && short[1] && short[0].attempts.length + short[1].attempts.length, 11);
  });
});

test('no call has more tokens than its worst case, and most have about the likely ones', () => {
  const [sample] = makeSamples(1, 'Ψ is a letter of the Greek alphabet.');
  if (sample === undefined) throw new Error('no sample');
  const most = mostTokens(sample, DECODING);
  const likely = likelyTokens(sample, DECODING);
  assert.ok(likely.input < most.input && likely.output < most.output);
  assert.is(most.output, DECODING.maxOutputTokens);
  assert.ok(most.input >= Buffer.byteLength(sample.system + sample.user));
});

test.run();
