import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ANSWER_SCHEMA, type Finish, readAnswer } from '../../src/rpl/answer.js';
import { isUsable } from '../../src/rpl/sample.js';

interface Parts {
  readonly prob_true?: unknown;
  readonly reason?: string;
  readonly refused?: boolean;
}

function answer({ prob_true = 0.7, reason = 'Because.', refused = false }: Parts = {}) {
  return {
    belief: { prob_true, label: 'likely' },
    reasons: [reason],
    assumptions: [],
    uncertainties: ['Wording.'],
    flags: { refused, off_topic: false },
  };
}

const json = (parts: Parts = {}) => JSON.stringify(answer(parts));
const statusOf = (text: string, finish: Finish = 'stop') => readAnswer(text, finish).status;

test('a strict answer is valid, with white space around it or not', () => {
  assert.equal(readAnswer(json(), 'stop'), { status: 'valid', probTrue: 0.7, problem: null });
  assert.is(statusOf(`\n ${JSON.stringify(answer(), null, 2)}\n`), 'valid');
  assert.is(statusOf(`\uFEFF${json()}`), 'valid');
  for (const prob_true of [0, 1, 1e-9])
    assert.is(readAnswer(json({ prob_true }), 'stop').probTrue, prob_true);
  assert.ok(Object.is(readAnswer(json().replace('0.7', '-0'), 'stop').probTrue, 0));
});

test('JSON in fences or prose is repaired', () => {
  const wrapped = [
    `\`\`\`json\n${json()}\n\`\`\``,
    `\`\`\`\n${json()}\n\`\`\``,
    `Here you go: ${json()} I hope {that} helps.`,
    `<think>Say {a} or "b".</think>\n${json()}`,
    `${json()}\n${json()}`,
    `An example is {"x": 1}. My answer: ${json({ reason: 'a } and a { and \\" in a text' })}`,
  ];
  for (const text of wrapped) {
    assert.equal(readAnswer(text, 'stop').status, 'repaired', text);
    assert.is(readAnswer(text, 'stop').probTrue, 0.7);
    assert.ok(readAnswer(text, 'stop').problem);
  }
});

test('what is off schema is invalid, and says where', () => {
  const { reasons: _reasons, ...withoutReasons } = answer();
  const cases: [string, string][] = [
    ['', 'empty'],
    ['  \n', 'empty'],
    ['About 70 %.', 'no JSON'],
    ['[0.7]', 'no JSON'],
    [json().slice(0, 20), 'no JSON'],
    [json().slice(0, -2), 'belief'],
    [json({ prob_true: '0.7' }), 'prob_true'],
    [json({ prob_true: null }), 'prob_true'],
    [json({ prob_true: 1.01 }), '1.01'],
    [json({ prob_true: 70 }), '70'],
    [json().replace('0.7', '1e999'), 'prob_true'],
    [json().replace('"likely"', '3'), 'label'],
    [JSON.stringify(withoutReasons), 'reasons'],
    [json().replace('["Wording."]', '"Wording."'), 'uncertainties'],
    [json().replace('"off_topic":false', '"off_topic":"no"'), 'off_topic'],
    [JSON.stringify({ ...answer(), confidence: 0.9 }), 'confidence'],
    ['{"probability": 0.7}', 'belief'],
    [`${json()} or rather ${json({ prob_true: 0.2 })}`, 'differ'],
    ['x'.repeat(200_000), '200000'],
  ];
  for (const [text, problem] of cases) {
    const reading = readAnswer(text, 'stop');
    assert.is(reading.status, 'invalid', text.slice(0, 80));
    assert.match(reading.problem ?? '', problem);
    assert.is(reading.probTrue, null);
  }
});

test('a link or a citation anywhere is a leak', () => {
  const leaks = [
    'See https://example.org/a.',
    'See http:\\/\\/example.org',
    'ftp://host/file',
    'www.example.co',
    'as [the report](reports/2020.pdf) says',
    'Wikipedia.org has it',
    'per nasa.gov data',
    'from ox.ac.uk research',
    'at example.de/page',
    'doi:10.1000/xyz123',
    '10.1038/nature12373',
    'arXiv:2301.12345',
    'PMID: 1234567',
    '(Smith et al., 2019)',
    'Smith et al. (2019) found',
    'shown before [1].',
    'shown [3], [4]',
    'shown [1, 2, 3]',
    'Source: the encyclopedia',
    'Well.\nReferences: a book',
  ];
  for (const reason of leaks) {
    assert.is(statusOf(json({ reason })), 'leaked', reason);
    assert.is(statusOf(`${reason}\n${json()}`), 'leaked', `around: ${reason}`);
    assert.is(statusOf(reason), 'leaked', `alone: ${reason}`);
  }
  assert.is(statusOf(json().replace('Because', '\\u0068ttps://example.org/')), 'leaked', 'escaped');
});

test('ordinary prose is no leak', () => {
  const harmless = [
    'Water boils at 99.97 degrees, e.g. at sea level, i.e. 1.013 bar.',
    'The U.S. economy grew 2.5% vs. 3.1% in 2019 (Paris, 1924).',
    'A value in [0, 1] or [0,1]; the year [2019]; the range [10, 20].',
    'It ended.It began.In short.Is it so.To be sure.',
    'Node.js, ASP.NET and asp.net are software; St. John is not.',
    'The ratio is 10.25/30 and either/or; 3:1 odds; at 10:30.',
    'Dr. Smith et al. disagree.',
    'The source: unclear. An array a[0] is empty.',
    'f(x) = [a](b c)',
  ];
  for (const reason of harmless) assert.is(statusOf(json({ reason })), 'valid', reason);
});

test('refusals are seen in all their forms', () => {
  assert.is(statusOf('anything', 'refusal'), 'refused');
  assert.is(statusOf(json(), 'refusal'), 'refused');
  assert.is(statusOf(json({ refused: true })), 'refused');
  assert.is(statusOf(json({ refused: true, prob_true: null })), 'refused');
  assert.is(statusOf(`\`\`\`json\n${json({ refused: true })}\n\`\`\``), 'refused');
  const prose = [
    "I'm sorry, but I can't help with that.",
    'I cannot provide a probability for this.',
    'I\u2019m unable to assess this claim.',
    'I am not able to give an estimate.',
    "As an AI, I can't really evaluate this.",
    'I must decline.',
    'I won\u2019t answer that.',
  ];
  for (const text of prose) assert.is(statusOf(text), 'refused', text);
  for (const text of ['I cannot be certain, but about 70 %.', 'I can say it is likely.']) {
    assert.is(statusOf(text), 'invalid', text);
  }
});

test('an answer that hit the length limit is truncated', () => {
  assert.is(statusOf(json().slice(0, 30), 'length'), 'truncated');
  assert.is(statusOf('', 'length'), 'truncated');
});

test('the schema requires every property and allows no other', () => {
  for (const schema of [ANSWER_SCHEMA, ANSWER_SCHEMA.properties.belief, ANSWER_SCHEMA.properties.flags]) {
    assert.equal([...schema.required], Object.keys(schema.properties));
    assert.is(schema.additionalProperties, false);
  }
});

const finish = fc.constantFrom<Finish>('stop', 'length', 'refusal', 'other');
const strict = fc.record({
  belief: fc.record({ prob_true: fc.double({ noNaN: true }), label: fc.string() }),
  reasons: fc.array(fc.string()),
  assumptions: fc.array(fc.string()),
  uncertainties: fc.array(fc.string()),
  flags: fc.record({ refused: fc.boolean(), off_topic: fc.boolean() }),
});
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc.stringMatching(/^[{}"\\[\]a.:/ ]{0,80}$/),
  strict.map((value) => JSON.stringify(value)),
  fc.tuple(fc.string(), strict, fc.string()).map(([a, value, b]) => a + JSON.stringify(value) + b),
);

test('no text makes it throw, and a probability is there exactly when the answer is usable', () => {
  fc.assert(
    fc.property(text, finish, (value, how) => {
      const { status, probTrue, problem } = readAnswer(value, how);
      assert.is(probTrue !== null, isUsable(status));
      assert.is(problem === null, status === 'valid');
      if (probTrue !== null) assert.ok(probTrue >= 0 && probTrue <= 1);
    }),
    { numRuns: 2_000 },
  );
});

test('long and hostile texts are read in short time', () => {
  const lengths = 99_000;
  for (const unit of ['{', '{"', 'a.', 'a-', '[1', '[a](', 'a:', '10.', '"\\', ' \t', '>', '{"a":[']) {
    const reading = readAnswer(unit.repeat(lengths / unit.length), 'stop');
    assert.is.not(reading.status, 'valid', unit);
  }
  assert.is(statusOf(`{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`), 'invalid');
  assert.is(statusOf(`{"a":[${'0,'.repeat(48_000)}0]}`), 'invalid');
});

test.run();
