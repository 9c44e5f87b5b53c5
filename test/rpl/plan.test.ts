import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { loadBank } from '../../src/handlers/banks.js';
import { type Bank, makeBank } from '../../src/rpl/bank.js';
import { normalizeClaim } from '../../src/rpl/claim.js';
import { DEFAULT_OPTIONS, type MeasurementOptions, planMeasurement } from '../../src/rpl/plan.js';

const plan = suite('rpl plan');

const SIMULATOR = { model: 'simulator/default', provider: 'simulator', baseUrl: null, simulated: true };

let bank: Bank;

plan.before(async () => {
  bank = await loadBank('plain', '.');
});

function planned(options: Partial<MeasurementOptions> = {}, changes: object = {}) {
  return planMeasurement({
    environment: 'local',
    claim: 'Tides are caused by the moon',
    identity: SIMULATOR,
    bank,
    answerSchema: { type: 'object' },
    options: { ...DEFAULT_OPTIONS, ...options },
    ...changes,
  });
}

plan('the bank has at least 16 templates, each with the claim in it', () => {
  assert.ok(bank.templates.length >= 16);
  for (const { user, claim } of planned().samples) assert.ok(user.includes(claim));
});

plan('slots spread over templates so that counts differ by at most one', () => {
  for (const [k, t] of [
    [16, 16],
    [40, 16],
    [7, 3],
    [5, 64],
  ] as const) {
    const { slots, templates } = planned({ k, t });
    const counts = new Map<string, number>();
    for (const id of slots) counts.set(id, (counts.get(id) ?? 0) + 1);
    assert.is(slots.length, k);
    assert.is(templates, Math.min(k, t, bank.templates.length));
    assert.is(counts.size, templates);
    assert.ok(Math.max(...counts.values()) - Math.min(...counts.values()) <= 1);
  }
});

plan('every sample has a key of its own, and templates go on counting replicates over their slots', () => {
  const { samples } = planned({ k: 32, r: 2 });
  assert.is(samples.length, 64);
  assert.is(new Set(samples.map(({ sampleKey }) => sampleKey)).size, 64);
  const first = samples[0]?.templateId;
  const replicates = samples
    .filter(({ templateId }) => templateId === first)
    .map(({ replicate }) => replicate);
  assert.equal(replicates, [0, 1, 2, 3]);
});

plan('the same input plans the same, and templates depend on the claim', () => {
  assert.equal(planned().slots, planned().slots);
  assert.is(planned().configHash, planned().configHash);
  assert.not.equal(planned().slots, planned({}, { claim: 'The moon is made of cheese' }).slots);
});

plan('anything that determines an answer changes the sample key', () => {
  const key = planned().samples[0]?.sampleKey;
  const others = [
    planned({}, { environment: 'development' }),
    planned({}, { identity: { ...SIMULATOR, simulated: false } }),
    planned({}, { identity: { ...SIMULATOR, baseUrl: 'http://127.0.0.1:1' } }),
    planned({ decoding: { temperature: 0, maxOutputTokens: 1_024 } }),
    planned({ decoding: { temperature: 0.7, maxOutputTokens: 10 } }),
    planned({ repeat: 1 }),
    planned({}, { answerSchema: { type: 'string' } }),
  ];
  const keys = others.map(({ samples }) => samples[0]?.sampleKey);
  assert.is(new Set([key, ...keys]).size, others.length + 1);
});

plan('resamples and estimator change the configuration but not the samples', () => {
  const more = planned({ b: 10_000, estimator: 'rpl-1' });
  assert.is.not(more.configHash, planned().configHash);
  assert.is(more.samples[0]?.sampleKey, planned().samples[0]?.sampleKey);
});

plan('T requested beyond what is used does not make another configuration', () => {
  assert.is(planned({ t: 64 }).configHash, planned({ t: 16 }).configHash);
});

plan('malformed banks are refused, naming what is wrong', () => {
  const good = { id: 'x', version: '1', answer: 'belief-1', system: 'Answer.', templates: [] as object[] };
  const template = { id: 'a', family: 'f', text: 'Is it so? {CLAIM}' };
  const refused = (content: unknown, what: RegExp) =>
    assert.throws(
      () => makeBank(content, 'x.yaml'),
      (error: unknown) => error instanceof HxError && error.code === 'usage' && what.test(error.message),
    );
  refused(null, /malformed/);
  refused(good, /templates/);
  refused({ ...good, templates: [{ ...template, text: 'no place' }] }, /\{CLAIM\} once/);
  refused({ ...good, templates: [template, template] }, /two templates have the id a/);
  refused(
    { ...good, templates: [template, { ...template, id: 'b', text: 'IS it so?  {CLAIM}' }] },
    /same text/,
  );
  refused({ ...good, templates: [template], colour: 'red' }, /colour/i);
});

plan('a changed word makes another bank', () => {
  const { hash: _, ...content } = bank;
  const changed = { ...content, system: `${content.system} Please.` };
  assert.is(makeBank(content, 'x').hash, bank.hash);
  assert.is.not(makeBank(changed, 'x').hash, bank.hash);
});

plan('claims that cannot be measured are refused', () => {
  for (const text of ['', '  \n', 'x'.repeat(20_000), 'a\u0000b', 'a\ufffdb', '\ud800']) {
    assert.throws(
      () => normalizeClaim(text),
      (error: unknown) => error instanceof HxError && error.code === 'usage',
    );
  }
  assert.is(normalizeClaim('  Wasser ist naß 🌊\n'), 'Wasser ist naß 🌊');
});

plan('a claim with a place holder or dollar signs goes in as it is', () => {
  const claim = 'The string {CLAIM} costs $& or $1';
  for (const { user } of planned({}, { claim }).samples) assert.ok(user.includes(claim));
});

plan.run();
