import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RowReader } from '../../../src/cli/render/formats/row-reader.js';
import { findCell } from '../../../src/cli/shell/pager/find.js';
import { RowBuffer } from '../../../src/cli/shell/pager/row-buffer.js';

const test = suite('pager of the shell');

/** A result without an end, of the same row again and again; `read` counts the rows that were taken of it. */
function endless(row: unknown[]) {
  const source = { read: 0, closed: false };
  async function* chunks() {
    try {
      for (;;) {
        source.read += 100;
        yield Array<unknown[]>(100).fill(row);
      }
    } finally {
      source.closed = true;
    }
  }
  return { source, reader: new RowReader(chunks()) };
}

test('a result is kept up to a number of rows, or fewer of long ones, and its reading ends there', async () => {
  for (const [row, least, most] of [
    [[1, 'short'], 100_000, 100_000],
    [['x'.repeat(1_000_000)], 20, 60],
    [[['x'.repeat(500_000), { a: 'x'.repeat(500_000) }]], 20, 60],
  ] as const) {
    const { source, reader } = endless([...row]);
    const buffer = new RowBuffer(reader);
    await buffer.fill(() => {});
    assert.is(buffer.state, 'full');
    assert.ok(buffer.rows.length >= least && buffer.rows.length <= most, String(buffer.rows.length));
    assert.ok(source.read <= most + 2_000, String(source.read));
    assert.ok(source.closed);
  }
});

test('a result that fails says why, and one that is left is read no further', async () => {
  async function* failing() {
    yield [[1], [2]];
    throw new Error('broken');
  }
  const failed = new RowBuffer(new RowReader(failing()));
  await failed.fill(() => {});
  assert.equal([failed.state, (failed.error as Error).message], ['failed', 'broken']);
  const { source, reader } = endless([1]);
  const left = new RowBuffer(reader);
  await left.fill(() => left.stop());
  assert.equal([left.state, left.rows.length, source.closed], ['reading', 1_000, true]);
});

test('a search finds NULL as it is shown, capitals where it has some, and goes both ways', async () => {
  const rows = [
    ['a', null],
    ['Null', 2n],
    [{ key: 'Deep' }, 3],
  ];
  assert.equal(await findCell(rows, 'null', 0, 1), { row: 0, column: 1 });
  assert.equal(await findCell(rows, 'null', 1, 1), { row: 1, column: 0 });
  assert.equal(await findCell(rows, 'Null', 0, 1), { row: 1, column: 0 });
  assert.equal(await findCell(rows, 'deep', 0, 1), { row: 2, column: 0 });
  assert.equal(await findCell(rows, '2', 2, -1), { row: 1, column: 1 });
  assert.is(await findCell(rows, '2', 2, 1), undefined);
});

test.run();
