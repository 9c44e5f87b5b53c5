import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  formatOfFile,
  parseFormat,
  renderResult,
  shownNote,
  type TextFormat,
} from '../../../src/cli/render/formats/index.js';
import type { Column, Shown } from '../../../src/cli/render/formats/result.js';
import { plain } from '../../../src/cli/render/style.js';
import { displayWidth } from '../../../src/cli/render/width.js';

const test = suite('formats');

interface Rendered {
  text: string;
  shown: Shown;
  /** Rows that had been read when the first piece of text came out. */
  readAtFirstPiece: number;
  read: number;
}

async function render(
  format: TextFormat,
  columns: Column[],
  chunks: Iterable<unknown[][]>,
  { width = Number.POSITIVE_INFINITY, rowLimit = Number.POSITIVE_INFINITY } = {},
): Promise<Rendered> {
  let read = 0;
  async function* counted(): AsyncGenerator<unknown[][]> {
    for (const chunk of chunks) {
      read += chunk.length;
      yield chunk;
    }
  }
  const rendering = renderResult(format, { columns, chunks: counted() }, { width, rowLimit, paint: plain });
  let text = '';
  let readAtFirstPiece = -1;
  for (;;) {
    const next = await rendering.next();
    if (next.done) return { text, shown: next.value, readAtFirstPiece, read };
    if (readAtFirstPiece < 0) readAtFirstPiece = read;
    text += next.value;
  }
}

const NAME: Column = { name: 'name', type: 'VARCHAR' };
const COUNT: Column = { name: 'n', type: 'BIGINT' };

function* numbers(count: number, chunkSize = 2_048): Generator<unknown[][]> {
  for (let start = 0; start < count; start += chunkSize) {
    const size = Math.min(chunkSize, count - start);
    yield Array.from({ length: size }, (_, index) => [BigInt(start + index)]);
  }
}

test('csv follows RFC 4180 and tells NULL from the empty text', async () => {
  const rows = [
    ['a,b', 1n],
    ['say "hi"', null],
    ['two\nlines', 2n],
    ['', 3n],
    [null, 4n],
    [' padded', 5n],
  ];
  const { text } = await render('csv', [NAME, COUNT], [rows]);
  assert.is(text, 'name,n\r\n"a,b",1\r\n"say ""hi""",\r\n"two\nlines",2\r\n"",3\r\n,4\r\n" padded",5\r\n');
});

test('csv never writes an empty line for a NULL, which readers would skip', async () => {
  const { text } = await render('csv', [NAME], [[[null], ['x']]]);
  assert.is(text, 'name\r\n""\r\nx\r\n');
});

test('csv writes nested values as JSON', async () => {
  const column = { name: 'tags', type: 'STRUCT(a BIGINT, b VARCHAR[])' };
  const { text } = await render('csv', [column], [[[{ a: 1n, b: ['x', null] }]]]);
  assert.is(text, 'tags\r\n"{""a"":1,""b"":[""x"",null]}"\r\n');
});

test('json keeps whole numbers beyond 2^53, NaN and JSON columns exact', async () => {
  const columns = [
    { name: 'safe', type: 'BIGINT' },
    { name: 'big', type: 'BIGINT' },
    { name: 'nan', type: 'DOUBLE' },
    { name: 'doc', type: 'JSON' },
    { name: 'gone', type: 'VARCHAR' },
  ];
  const row = [
    9_007_199_254_740_991n,
    9_007_199_254_740_993n,
    Number.NaN,
    '{"seed":\n18446744073709551615}',
    null,
  ];
  const { text } = await render('ndjson', columns, [[row]]);
  assert.is(
    text,
    '{"safe":9007199254740991,"big":"9007199254740993","nan":"NaN","doc":{"seed": 18446744073709551615},"gone":null}\n',
  );
});

test('json is one array for no row, one row and many chunks', async () => {
  assert.equal(JSON.parse((await render('json', [COUNT], [])).text), []);
  assert.equal(JSON.parse((await render('json', [COUNT], [[], [[1n]], []])).text), [{ n: 1 }]);
  const many = JSON.parse((await render('json', [COUNT], numbers(5_000))).text) as { n: number }[];
  assert.is(many.length, 5_000);
  assert.is(many[4_999]?.n, 4_999);
});

test('columns of one name keep their values in json', async () => {
  const columns = ['a', 'a', 'a_1', 'a'].map((name) => ({ name, type: 'INTEGER' }));
  const { text } = await render('ndjson', columns, [[[1, 2, 3, 4]]]);
  assert.equal(JSON.parse(text), { a: 1, a_2: 2, a_1: 3, a_3: 4 });
});

test('markdown escapes what would break its table', async () => {
  const { text } = await render(
    'markdown',
    [NAME, COUNT],
    [
      [
        ['a|b\\|c\n<b>', 1n],
        [null, 2n],
      ],
    ],
  );
  assert.is(text, '| name | n |\n| --- | --: |\n| a\\|b\\\\\\|c<br>&lt;b> | 1 |\n|  | 2 |\n');
});

test('csv, ndjson, json and markdown stream: the first text comes before the last row', async () => {
  for (const format of ['csv', 'ndjson', 'json', 'markdown'] as const) {
    const { readAtFirstPiece, shown } = await render(format, [COUNT], numbers(50_000));
    assert.ok(readAtFirstPiece <= 2_048, `${format} read ${readAtFirstPiece} rows before writing`);
    assert.equal(shown, { shown: 50_000, rows: 50_000, cut: false });
  }
});

test('a table in a pipe prints every row and cuts nothing', async () => {
  const chunks = [...numbers(3_000), [[123_456_789_012_345_678n]]];
  const { text, shown, readAtFirstPiece } = await render('table', [COUNT], chunks);
  assert.is(text.trimEnd().split('\n').length, 3_003);
  assert.ok(text.endsWith('123456789012345678\n'));
  assert.equal(shown, { shown: 3_001, rows: 3_001, cut: false });
  assert.ok(readAtFirstPiece < 3_001);
});

test('a table on a terminal says how many rows it left out', async () => {
  const { text, shown } = await render('table', [COUNT], numbers(12_345), { width: 80, rowLimit: 200 });
  assert.is(text.trimEnd().split('\n').length, 202);
  assert.equal(shown, { shown: 200, rows: 12_345, cut: false });
  assert.is(shownNote(shown, 'All: x.'), '12,345 rows, the first 200 shown. All: x.');
});

test('counting what was left out ends, even when the result does not', async () => {
  function* endless(): Generator<unknown[][]> {
    for (;;) yield Array.from({ length: 2_048 }, () => [1n]);
  }
  const { shown, read } = await render('table', [COUNT], endless(), { width: 80, rowLimit: 200 });
  assert.is(shown.rows, undefined);
  assert.ok(read < 110_000);
  assert.match(shownNote(shown, '') ?? '', /^more than 200 rows, the first 200 shown/);
});

test('a table stays within the terminal, aligned, with wide text and hostile text', async () => {
  const rows = [
    ['地球は丸い、と多くの人が信じている。'.repeat(4), 1n],
    ['🇫🇷👩‍🚀 flag', 22n],
    ['\u001b[2J\u001b]0;x\u0007', 333n],
  ];
  const { text, shown } = await render('table', [NAME, COUNT], [rows], { width: 40, rowLimit: 200 });
  const lines = text.trimEnd().split('\n');
  assert.equal(
    lines.map(displayWidth),
    lines.map(() => 40),
  );
  assert.not.ok(text.includes('\u001b'));
  assert.ok(shown.cut);
});

test('NULL, the text NULL and the empty text look different in a table', async () => {
  const { text } = await render('table', [NAME], [[[null], ['NULL'], ['']]], { width: 80 });
  assert.equal(text.split('\n').slice(2), ['NULL', '"NULL"', '', '']);
});

test('more columns than fit become records, with nothing cut', async () => {
  const columns = Array.from({ length: 30 }, (_, index) => ({ name: `column_${index}`, type: 'VARCHAR' }));
  const row = columns.map(({ name }) => `${name}: ${'x'.repeat(100)}`);
  const { text, shown } = await render('table', columns, [[row, row]], { width: 80, rowLimit: 200 });
  assert.ok(text.includes('── record 2 ──'));
  for (const value of row) assert.ok(text.includes(value));
  assert.is(shown.cut, false);
});

test('formats by name and by extension', () => {
  assert.is(parseFormat('ndjson'), 'ndjson');
  assert.throws(() => parseFormat('xml'), /Unknown format "xml"/);
  assert.is(formatOfFile('a/b.PARQUET'), 'parquet');
  assert.is(formatOfFile('b.jsonl'), 'ndjson');
  assert.throws(() => formatOfFile('result'), /does not say which format/);
});

test.run();
