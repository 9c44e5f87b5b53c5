import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Attempt } from '../../src/rpl/sample.js';
import { resolvedModels, ServingWatch } from '../../src/rpl/serving.js';

function answer(modelResolved: string | null, systemFingerprint: string | null = null): Attempt {
  return {
    sampleKey: 'key',
    templateId: 't',
    replicate: 0,
    ordinal: 1,
    status: 'valid',
    probTrue: 0.5,
    answerText: '{}',
    problem: null,
    modelResolved,
    systemFingerprint,
    tokensIn: null,
    tokensOut: null,
    startedAt: new Date(0),
    latencyMs: 1,
  };
}

test('the same model throughout is nothing to speak of, nor is a call without an answer', () => {
  const watch = new ServingWatch();
  for (const name of ['m-1', null, 'm-1', null]) assert.is(watch.see(answer(name, 'fp')), null);
});

test('another model is named each time, with those before it', () => {
  const watch = new ServingWatch();
  assert.is(watch.see(answer('m-1')), null);
  assert.match(watch.see(answer('m-2')) ?? '', 'm-1, then m-2');
  assert.is(watch.see(answer('m-1')), null);
  assert.match(watch.see(answer('m-3')) ?? '', 'm-1, then m-2, then m-3');
});

test('another fingerprint is named once', () => {
  const watch = new ServingWatch();
  assert.is(watch.see(answer('m', 'fp_a')), null);
  assert.match(watch.see(answer('m', 'fp_b')) ?? '', 'fp_a, fp_b');
  assert.is(watch.see(answer('m', 'fp_c')), null);
});

test('the column holds one name, several or none', () => {
  assert.equal(resolvedModels(null), []);
  assert.equal(resolvedModels('m-1'), ['m-1']);
  assert.equal(resolvedModels('m-1, m-2'), ['m-1', 'm-2']);
});

test.run();
