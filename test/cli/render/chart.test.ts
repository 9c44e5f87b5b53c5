import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderResult, shownNote } from '../../../src/cli/render/formats/index.js';
import type { Column, Shown } from '../../../src/cli/render/formats/result.js';
import { plain } from '../../../src/cli/render/style.js';
import { displayWidth } from '../../../src/cli/render/width.js';

const test = suite('charts');

const LABEL_AND_NUMBER: Column[] = [
  { name: 'label', type: 'VARCHAR' },
  { name: 'n', type: 'DOUBLE' },
];
const DAY_AND_NUMBER: Column[] = [
  { name: 'day', type: 'DATE' },
  { name: 'n', type: 'BIGINT' },
];

async function draw(
  rows: unknown[][],
  columns: Column[] = LABEL_AND_NUMBER,
  { width = 40, rowLimit = 200 } = {},
): Promise<{ lines: string[]; shown: Shown }> {
  async function* chunks() {
    yield rows;
  }
  const rendering = renderResult('chart', { columns, chunks: chunks() }, { width, rowLimit, paint: plain });
  let text = '';
  for (;;) {
    const next = await rendering.next();
    if (next.done) return { lines: text.split('\n').slice(0, -1), shown: next.value };
    text += next.value;
  }
}

async function refusal(columns: Column[]): Promise<string> {
  try {
    await draw([], columns);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'drawn';
}

test('a bar for each label, as long as its number', async () => {
  const { lines } = await draw([
    ['one', 8],
    ['two', 4],
    ['half', 0.5],
    ['nothing', 0],
    ['missing', null],
  ]);
  assert.equal(lines, [
    'label       n',
    `one         8  ${'█'.repeat(24)}`,
    `two         4  ${'█'.repeat(12)}`,
    'half      0.5  █▌',
    'nothing     0',
    'missing  NULL',
  ]);
});

test('negative numbers go left of a common zero', async () => {
  const { lines } = await draw([
    ['a', -10],
    ['b', 10],
    ['c', -0.001],
  ]);
  const zero = lines.slice(1).map((line) => line.indexOf('│'));
  assert.equal(new Set(zero).size, 1);
  assert.match(lines[1] ?? '', /^a .*-10 {2}█+│$/);
  assert.match(lines[2] ?? '', /^b .* {3}│█+$/);
  assert.match(lines[3] ?? '', /▐│$/);
});

test('wide labels are cut and control characters spelled out, and no line is wider than the window', async () => {
  const { lines } = await draw([
    ['日本語'.repeat(30), 3],
    ['a\u001b[31m\nb', 2],
    ['x'.repeat(300), 1e21],
  ]);
  for (const line of lines) assert.ok(displayWidth(line) <= 40, line);
  assert.match(lines[1] ?? '', /…/);
  assert.match(lines[2] ?? '', /a\\x1b\[31m\\nb/);
});

test('the number may come first, exact decimals and whole numbers beyond 2^53 are numbers too', async () => {
  const { lines } = await draw(
    [
      ['12345678901234567890.5', 'a'],
      ['0.5', 'b'],
    ],
    [
      { name: 'n', type: 'DECIMAL(38,2)' },
      { name: 'label', type: 'VARCHAR' },
    ],
  );
  assert.match(lines[0] ?? '', /^label +n$/);
  assert.match(lines[1] ?? '', /█$/);
  assert.match(lines[2] ?? '', /^b .*0\.5 {2}▏$/);
});

test('many days are columns over time, with the gaps of missing ones', async () => {
  const rows = Array.from({ length: 30 }, (_, day) => [
    `2026-01-${String(day + 1).padStart(2, '0')}`,
    day === 10 ? null : BigInt(day - 5),
  ]);
  const { lines } = await draw(rows, DAY_AND_NUMBER);
  assert.is(lines[0], 'n by day');
  const zero = lines.find((line) => line.startsWith(' 0 ┼')) ?? '';
  assert.is(zero, ` 0 ┼${'─'.repeat(10)} ${'─'.repeat(19)}`);
  assert.match(lines[1] ?? '', /^24 ┤ +[▁-█]+$/);
  assert.match(lines.at(-2) ?? '', /^-5 ┤[█▀]+$/);
  assert.match(lines.at(-1) ?? '', /^ {4}2026-01-01 +2026-01-30$/);
});

test('more values than columns become means, and it says so', async () => {
  const rows = Array.from({ length: 1_000 }, (_, index) => [`${index}`, BigInt(index % 2)]);
  const { lines, shown } = await draw(rows, [{ name: 'i', type: 'BIGINT' }, DAY_AND_NUMBER[1] as Column]);
  assert.match(lines.at(-1) ?? '', /^Each column is the mean of 36 rows\.$/);
  for (const line of lines) assert.ok(displayWidth(line) <= 40, line);
  assert.is(shown.rows, 1_000);
});

test('nothing but NULL, nothing but zero, and nothing at all can be drawn', async () => {
  assert.equal((await draw([['a', null]])).lines, ['label     n', 'a      NULL']);
  assert.equal((await draw([['a', 0]])).lines, ['label  n', 'a      0']);
  assert.equal((await draw([])).lines, ['label  n']);
  const empty = Array.from({ length: 30 }, (_, day) => [String(day), null]);
  assert.ok((await draw(empty, DAY_AND_NUMBER)).lines.length > 1);
});

test('bars past the limit are counted', async () => {
  const rows = Array.from({ length: 300 }, (_, index) => [`${index}`, index]);
  const { lines, shown } = await draw(rows);
  assert.is(lines.length, 201);
  assert.is(shownNote(shown, 'All of it.'), '300 rows, the first 200 shown. All of it.');
});

test('what is no label and number is refused with its types', async () => {
  const text = { name: 'a', type: 'VARCHAR' };
  assert.match(await refusal([text]), /this result has 1 column\./);
  assert.match(await refusal([text, text, text]), /this result has 3 columns\./);
  assert.match(await refusal([text, { name: 'b', type: 'DATE' }]), /a is VARCHAR and b is DATE/);
});

test.run();
