import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { escapeControls } from '../../../src/cli/render/escape.js';
import { coloured, plain } from '../../../src/cli/render/style.js';
import { renderTable } from '../../../src/cli/render/table.js';
import { displayWidth, truncateToWidth } from '../../../src/cli/render/width.js';

const test = suite('table');

test('aligns columns, numbers to the right', () => {
  const text = renderTable({
    columns: [{ header: 'model' }, { header: 'calls', align: 'right' }],
    rows: [
      ['a', '7'],
      ['longer', '1200'],
    ],
    width: 80,
    paint: plain,
  });
  assert.is(text, 'model   calls\n──────  ─────\na           7\nlonger   1200\n');
});

test('counts wide characters and emoji as two columns', () => {
  const text = renderTable({
    columns: [{ header: 'claim' }, { header: 'p', align: 'right' }],
    rows: [
      ['日本語', '1'],
      ['👩‍👩‍👧 ok', '2'],
      ['plain', '3'],
    ],
    width: 80,
    paint: plain,
  });
  const [, , ...rows] = text.trimEnd().split('\n');
  assert.equal(rows.map(displayWidth), [9, 9, 9]);
});

test('cuts the widest column to the width of the terminal and says so with an ellipsis', () => {
  const text = renderTable({
    columns: [{ header: 'id' }, { header: 'claim' }, { header: 'n', align: 'right' }],
    rows: [['42', '界'.repeat(60), '5']],
    width: 40,
    paint: plain,
  });
  for (const line of text.trimEnd().split('\n')) assert.ok(displayWidth(line) <= 40, line);
  assert.match(text, /42 {2}界+… +5\n/);
});

test('cuts nothing when the width is infinite', () => {
  const claim = 'x'.repeat(5_000);
  const text = renderTable({
    columns: [{ header: 'claim' }],
    rows: [[claim]],
    width: Number.POSITIVE_INFINITY,
    paint: plain,
  });
  assert.ok(text.includes(claim));
});

test('shows control characters and escape sequences instead of obeying them', () => {
  const text = renderTable({
    columns: [{ header: 'cl\u001b[2Jaim' }],
    rows: [['\u001b]0;owned\u0007 red\r\nnext\u202egnp\u009b31m']],
    width: 200,
    paint: plain,
  });
  assert.ok(text.includes('cl\\x1b[2Jaim'));
  assert.ok(text.includes('\\x1b]0;owned\\x07 red\\r\\nnext\\u202egnp\\x9b31m'));
  assert.is(text.split('\n').length, 4);
});

test('paint surrounds the padded cell, so that colour does not move columns', () => {
  const text = renderTable({
    columns: [{ header: 'ok' }, { header: 'x' }],
    rows: [['yes', '1']],
    width: 80,
    paint: coloured,
    paintCell: (padded, cell) => (cell === 'yes' ? `<${padded}>` : padded),
  });
  assert.ok(text.includes('<yes>  1\n'));
});

test('escapes lone surrogates and keeps the joiner of emoji', () => {
  assert.is(escapeControls('a\ud800b'), 'a\\ud800b');
  assert.is(escapeControls('👩‍👩‍👧'), '👩‍👩‍👧');
});

test('truncates by what the user perceives, never inside an emoji', () => {
  assert.is(truncateToWidth('👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧', 5), '👩‍👩‍👧👩‍👩‍👧…');
  assert.is(truncateToWidth('abc', 3), 'abc');
  assert.is(truncateToWidth('abcd', 3), 'ab…');
});

test.run();
