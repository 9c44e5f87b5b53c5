import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { resolveModel } from '../../src/models/resolve.js';
import { latentBelief, makeSimulator, PROFILES } from '../../src/models/simulator.js';
import { readAnswer } from '../../src/rpl/answer.js';
import { makeTestSettings } from '../helpers.js';
import { askAll, DECODING, makeSamples, optionsFor, tally } from './samples.js';

const never = new AbortController().signal;
const open = (profile: string) => resolveModel(`simulator/${profile}`, makeTestSettings());

test('the same sample always gets the same answer, in any order; replicates differ', async () => {
  const model = await open('noisy');
  const samples = makeSamples(40);
  const texts = (list: typeof samples) =>
    Promise.all(
      list.map(async (sample) => [sample.sampleKey, (await model.ask(sample, DECODING, never, 1)).text]),
    );
  const forward = Object.fromEntries(await texts(samples));
  const backward = Object.fromEntries(await texts([...samples].reverse()));
  assert.equal(forward, backward);
  const pairs = samples.filter(({ replicate }) => replicate === 0).map(({ sampleKey }) => sampleKey);
  const differing = pairs.filter((key) => forward[key] !== forward[`key-${Number(key.slice(4)) + 1}`]);
  assert.ok(differing.length > 10, String(differing.length));
});

test('a retry may differ from the first answer', async () => {
  const model = await open('malformed');
  const samples = makeSamples(60);
  const statuses = await Promise.all(
    [1, 2].map((ordinal) =>
      Promise.all(
        samples.map(async (sample) => {
          const { text, finish } = await model.ask(sample, DECODING, never, ordinal);
          return readAnswer(text, finish).status;
        }),
      ),
    ),
  );
  assert.ok(statuses[0]?.some((status, index) => status === 'invalid' && statuses[1]?.[index] === 'valid'));
});

test('answers spread around the latent belief as the profile says', async () => {
  const claim = Array.from({ length: 50 }, (_, index) => `Claim ${index}`).find(
    (text) => Math.abs(latentBelief(text)) < 0.3,
  );
  const profile = { ...PROFILES['default'], tau: 0.5, sigma: 0.3, wrappedRate: 0 };
  const model = makeSimulator('wide', profile as Parameters<typeof makeSimulator>[1]);
  const samples = makeSamples(4_000, claim);
  const logits: number[] = [];
  for (const sample of samples) {
    const { text } = await model.ask(sample, DECODING, never, 1);
    const { probTrue } = readAnswer(text, 'stop');
    assert.ok(probTrue !== null);
    logits.push(Math.log((probTrue ?? 0.5) / (1 - (probTrue ?? 0.5))));
  }
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const centre = mean(logits);
  const replicateVariance = mean(
    samples.flatMap(({ replicate }, index) =>
      replicate === 0 ? [((logits[index] ?? 0) - (logits[index + 1] ?? 0)) ** 2 / 2] : [],
    ),
  );
  const totalVariance = mean(logits.map((logit) => (logit - centre) ** 2));
  assert.ok(Math.abs(centre - latentBelief(claim ?? '')) < 0.05, `centre ${centre}`);
  // The 5 % grid adds about 0.06 of standard deviation.
  assert.ok(Math.abs(Math.sqrt(replicateVariance) - 0.3) < 0.03, `sigma ${Math.sqrt(replicateVariance)}`);
  assert.ok(Math.abs(Math.sqrt(totalVariance - replicateVariance) - 0.5) < 0.04, 'tau');
});

test('each profile shows its trouble, and default none', async () => {
  const statusesOf = async (profile: string) => {
    const { attempts, error } = await askAll(optionsFor(await open(profile), 400));
    assert.is(error, undefined, profile);
    return tally(attempts.map(({ status }) => status));
  };
  assert.equal(Object.keys(await statusesOf('default')).sort(), ['repaired', 'valid']);
  assert.ok(((await statusesOf('refusing'))['refused'] ?? 0) > 100);
  const malformed = await statusesOf('malformed');
  assert.ok((malformed['invalid'] ?? 0) > 80 && (malformed['leaked'] ?? 0) > 10);
  assert.ok(((await statusesOf('flaky'))['failed'] ?? 0) > 20);
});

test('slow takes its time, 16 at once, and can be aborted', async () => {
  const model = await open('slow');
  const { attempts } = await askAll(optionsFor(model, 32));
  assert.is(attempts.length, 32);
  assert.ok(attempts.every(({ latencyMs }) => latencyMs >= 299));
  const [sample] = makeSamples(1);
  if (sample === undefined) throw new Error('no sample');
  const controller = new AbortController();
  const call = model.ask(sample, DECODING, controller.signal, 1);
  controller.abort('enough');
  assert.is(await call.catch((reason: unknown) => reason), 'enough');
});

test('simulated models say so, and an unknown profile lists the known ones', async () => {
  assert.equal((await open('default')).identity, {
    model: 'simulator/default',
    provider: 'simulator',
    baseUrl: null,
    simulated: true,
  });
  for (const name of ['nothing', 'constructor']) {
    const error = await open(name).catch((thrown: unknown) => thrown);
    assert.instance(error, HxError);
    assert.is((error as HxError).code, 'usage');
    for (const profile of Object.keys(PROFILES)) assert.match((error as HxError).hint ?? '', profile);
  }
});

test.run();
