import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  decidingReadouts,
  explainReadouts,
  LEAST_MASS,
  massElsewhere,
  massOf,
  type Readout,
  readoutFromRow,
  readoutToRow,
  readReadout,
  summariseReadouts,
  type TokenPlace,
} from '../../src/rpl/readout.js';

const test = suite('rpl readout');

/** A place from tokens and their probabilities; the first is the chosen one. */
function place(...tokens: readonly (readonly [string, number])[]): TokenPlace {
  const top = tokens.map(([token, probability]) => ({ token, logprob: Math.log(probability) }));
  const [chosen = { token: '', logprob: 0 }] = top;
  return { chosen, top };
}

function readout(template: string, changes: Partial<Readout> = {}): Readout {
  return {
    sampleKey: `key-${template}`,
    templateId: template,
    replicate: 0,
    ordinal: 1,
    status: 'valid',
    probTrue: 0.75,
    massTrue: 0.6,
    massFalse: 0.2,
    tokens: [{ token: 'True', logprob: Math.log(0.6) }],
    temperature: 1,
    answerText: 'True',
    problem: null,
    modelResolved: 'm-1',
    systemFingerprint: null,
    tokensIn: 90,
    tokensOut: 2,
    startedAt: new Date(0),
    latencyMs: 3,
    ...changes,
  };
}

const FAILED = { status: 'failed', probTrue: null, massTrue: null, massFalse: null, tokens: null } as const;

const close = (actual: number | null, expected: number) =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-12, `${actual} instead of ${expected}`);

test('every spelling of the two words counts, and nothing else', () => {
  for (const token of [
    'True',
    'true',
    ' True',
    '▁True',
    'ĠTRUE',
    '"true',
    "'True'",
    '**True**',
    'True.',
    '“True”',
    '(true)',
    '\ntrue',
  ]) {
    close(massOf('true', [{ token, logprob: Math.log(0.25) }]), 0.25);
    assert.is(massOf('false', [{ token, logprob: 0 }]), 0, token);
  }
  for (const token of ['Tr', 'T', 'Truth', 'untrue', 'truefalse', 'Yes', '1', '', ' ', 'not true']) {
    assert.is(massOf('true', [{ token, logprob: 0 }]), 0, token);
  }
  close(massOf('false', [{ token: ' FALSE,', logprob: Math.log(0.5) }]), 0.5);
});

test('P(True) is the share of True in the mass of both words', () => {
  const read = readReadout('stop', [place(['True', 0.5], ['False', 0.2], [' true', 0.1], ['It', 0.1])]);
  assert.is(read.status, 'valid');
  close(read.massTrue, 0.6);
  close(read.massFalse, 0.2);
  close(read.probTrue, 0.75);
});

test('white space and quotes before the word are passed over', () => {
  const read = readReadout('length', [
    place(['\n', 0.9], ['True', 0.1]),
    place(['"', 1]),
    place(['False', 0.8], ['True', 0.2]),
  ]);
  close(read.probTrue, 0.2);
  // Where nothing else came, the place itself says what the alternatives were.
  close(readReadout('length', [place(['\n', 0.3], ['True', 0.6], ['False', 0.1])]).probTrue, 6 / 7);
});

test('a chosen token that is not among the likeliest counts with them', () => {
  const { top } = place(['True', 0.6], ['It', 0.1]);
  const chosen = { token: 'False', logprob: Math.log(0.02) };
  close(readReadout('stop', [{ chosen, top }]).probTrue, 0.6 / 0.62);
});

test('what says too little does not count, and says why', () => {
  const low = readReadout('stop', [place(['The', 0.6], ['True', 0.3], ['False', 0.05])]);
  assert.is(low.status, 'low_mass');
  assert.is(low.probTrue, null);
  close(low.massTrue, 0.3);
  assert.match(low.problem ?? '', '0.350');
  for (const places of [null, [], [place(['True', 0.99])]]) {
    const none = readReadout('stop', places);
    assert.equal([none.status, none.probTrue, none.massTrue], ['no_logprobs', null, null]);
  }
  assert.is(readReadout('refusal', [place(['True', 0.9], ['False', 0.1])]).status, 'refused');
});

const TOKENS = ['True', ' true', 'TRUE', 'False', ' False', 'false.', 'It', 'I', 'Tr', '', ' '];

test('for any distribution the masses add up, in any order of the tokens', () => {
  const weights = fc.array(
    fc.tuple(fc.constantFrom(...TOKENS), fc.double({ min: 1e-9, max: 1, noNaN: true })),
    {
      minLength: 2,
      maxLength: 20,
    },
  );
  let counted = 0;
  fc.assert(
    fc.property(weights, fc.double({ min: 0.3, max: 1, noNaN: true }), fc.nat(), (drawn, shown, turn) => {
      const total = drawn.reduce((sum, [, weight]) => sum + weight, 0);
      const tokens = drawn.map(([token, weight]) => [token, (shown * weight) / total] as const);
      const read = readReadout('stop', [place(...tokens)]);
      const sumOf = (pattern: RegExp) =>
        tokens
          .filter(([token]) => pattern.test(token))
          .reduce((sum, [, probability]) => sum + probability, 0);
      const [massTrue, massFalse] = [sumOf(/^ ?true$/i), sumOf(/^ ?false\.?$/i)];
      close(read.massTrue, massTrue);
      close(read.massFalse, massFalse);
      const covered = massTrue + massFalse;
      const isAtLimit = Math.abs(covered - LEAST_MASS) < 1e-9;
      if (!isAtLimit) assert.is(read.status, covered < LEAST_MASS ? 'low_mass' : 'valid');
      if (read.status === 'valid') {
        counted += 1;
        close(read.probTrue, massTrue / covered);
      }
      const turned = [...tokens.slice(turn % tokens.length), ...tokens.slice(0, turn % tokens.length)];
      const again = readReadout('stop', [{ ...place(...turned), chosen: place(...tokens).chosen }]);
      if (!isAtLimit) assert.is(again.status, read.status);
      close(again.massTrue, massTrue);
    }),
    { numRuns: 2_000 },
  );
  assert.ok(counted > 200, `${counted} counted`);
});

test('the summary is the mean of logits, and its mass elsewhere includes what does not count', () => {
  const readouts = [
    readout('b', { probTrue: 0.9, massTrue: 0.9, massFalse: 0.1 }),
    readout('a', { probTrue: 0.5, massTrue: 0.4, massFalse: 0.4 }),
    readout('c', { status: 'low_mass', probTrue: null, massTrue: 0.1, massFalse: 0.1 }),
    readout('d', FAILED),
  ];
  const summary = summariseReadouts(readouts);
  close(summary.prob_true_logprob, 0.75);
  close(summary.logprob_mass_other, (0 + 0.2 + 0.8) / 3);
  assert.is(summary.n_readouts, 2);
  assert.equal(JSON.parse(summary.readouts_by_status_json ?? ''), { valid: 2, low_mass: 1, failed: 1 });
  assert.equal(summariseReadouts([...readouts].reverse()), summary);
});

test('a certain readout is clamped as certain answers are', () => {
  const certain = readout('a', { probTrue: 1, massTrue: 1, massFalse: 0 });
  close(summariseReadouts([certain]).prob_true_logprob, 1 - 1e-6);
});

test('without any readout that counts there is no belief, and the count is 0', () => {
  const summary = summariseReadouts([readout('a', { ...FAILED, status: 'no_logprobs' })]);
  assert.equal([summary.prob_true_logprob, summary.logprob_mass_other, summary.n_readouts], [null, null, 0]);
});

test('the first settled call decides, whatever the order', () => {
  const calls = [
    readout('a', { ...FAILED, ordinal: 1 }),
    readout('a', { ordinal: 2, probTrue: 0.2 }),
    readout('a', { ordinal: 3, probTrue: 0.9 }),
    readout('b', { ...FAILED, ordinal: 1 }),
    readout('b', { ...FAILED, ordinal: 2 }),
  ];
  for (const order of [calls, [...calls].reverse()]) {
    assert.equal(
      decidingReadouts(order)
        .map(({ templateId, ordinal }) => [templateId, ordinal])
        .sort(),
      [
        ['a', 2],
        ['b', 2],
      ],
    );
  }
});

test('an explanation lists templates from the lowest, those that do not count last', () => {
  const shown = explainReadouts([
    readout('a', FAILED),
    readout('b', { probTrue: 0.9 }),
    readout('c', { probTrue: 0.1 }),
  ]);
  assert.equal(
    shown.map(({ template }) => template),
    ['c', 'b', 'a'],
  );
  close(shown[0]?.mass_other ?? null, 0.2);
  assert.is(massElsewhere(readout('a', FAILED)), null);
});

test('a readout comes back from its row as it was', () => {
  for (const one of [readout('a'), readout('b', { ...FAILED, problem: '429' })]) {
    assert.equal(readoutFromRow(readoutToRow(one)), one);
  }
});

test.run();
