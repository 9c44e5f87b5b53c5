import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bank, makeBank, type Template } from '../../src/rpl/bank.js';
import { diffBanks } from '../../src/rpl/bank-diff.js';
import { lintBank } from '../../src/rpl/bank-lint.js';

const bank = suite('rpl bank');

const SUBJECTS = ['river', 'window', 'garden', 'engine', 'letter', 'harbour', 'mirror', 'candle'];

/** Eight wordings that share few words, over four families. */
const TEMPLATES: readonly Template[] = SUBJECTS.map((subject, index) => ({
  id: subject,
  family: `family-${index % 4}`,
  text: `${subject} ${subject}s ${subject}ing: {CLAIM}`,
}));

function make(templates: readonly Template[], changes: Partial<Bank> = {}): Bank {
  return makeBank(
    { id: 'mine', version: '1', answer: 'belief-1', system: 'Answer.', templates, ...changes },
    'test',
  );
}

/** The template of that place, reworded. */
function reworded(place: number, text: string): Template[] {
  return TEMPLATES.map((template, index) => (index === place ? { ...template, text } : template));
}

bank('a good bank has nothing to mend', () => {
  assert.equal(lintBank(make(TEMPLATES)), []);
});

bank('few templates, few families, leading, outside and alike wordings are found', () => {
  const problems = (of: Bank) => lintBank(of).map(({ template, problem }) => `${template}: ${problem}`);
  assert.match(problems(make(TEMPLATES.slice(0, 7))).join('\n'), /^null: 7 templates/);
  const oneFamily = TEMPLATES.map((template) => ({ ...template, family: 'only' }));
  assert.match(problems(make(oneFamily)).join('\n'), /^null: 1 families/);
  assert.match(problems(make(reworded(2, 'Obviously so: {CLAIM}'))).join('\n'), /^garden: "Obviously" leans/);
  assert.match(
    problems(make(reworded(2, 'Cite what you know: {CLAIM}'))).join('\n'),
    /^garden: "Cite" invites/,
  );
  assert.match(
    problems(make(reworded(2, `${'long '.repeat(200)}{CLAIM}`))).join('\n'),
    /^garden: \d+ characters/,
  );
  const alike = reworded(5, 'engine engines engineing - {CLAIM}');
  assert.match(problems(make(alike)).join('\n'), /^harbour: shares 100 % of its words with engine/);
});

bank('a difference is told template by template', () => {
  const before = make(TEMPLATES);
  const moved = TEMPLATES.map((template, index) =>
    index === 1 ? { ...template, family: 'other' } : template,
  );
  const after = make([
    ...moved
      .slice(1)
      .map((template, index) => (index === 3 ? { ...template, text: 'New {CLAIM}' } : template)),
    { id: 'added', family: 'family-0', text: 'Added: {CLAIM}' },
  ]);
  const diff = diffBanks(before, { ...after, version: '2' });
  assert.equal(
    diff.templates.map(({ template, change }) => `${change} ${template}`),
    ['removed river', 'moved window', 'reworded letter', 'added added'],
  );
  assert.is(diff.unchanged, 5);
  assert.is(diff.is_conflict, false);
  assert.is(diff.system_changed, false);
});

bank('the same id and version with another content is a conflict; the same content never is', () => {
  const one = make(TEMPLATES);
  assert.is(diffBanks(one, make(reworded(0, 'Other {CLAIM}'))).is_conflict, true);
  assert.is(diffBanks(one, make(TEMPLATES, { system: 'Answer now.' })).system_changed, true);
  assert.is(diffBanks(one, make(TEMPLATES)).is_same_content, true);
});

bank.run();
