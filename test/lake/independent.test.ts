import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Table, tableFromIPC, util } from 'apache-arrow';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BulkLoader } from '../../src/lake/bulk/loader.js';
import { writeRangeBulk } from '../../src/lake/bulk/range-bulk.js';
import { LAKE_COLUMNS, type LakeRow } from '../../src/lake/files/schema.js';
import { LocalStorage } from '../../src/lake/storage/local.js';
import type { Column } from '../../src/rpl/column.js';
import { EXPORT_COLUMNS } from '../../src/rpl/record.js';
import { TRANSFER } from '../../src/rpl/transfer.js';
import { makeTempFolder, removeFolder } from '../helpers.js';
import { lakeRow } from './rows.js';
import { appendRun, INSTANCE, writeRange } from './write.js';

/** The Parquet library of Apache Arrow in Rust: none of its code is in hyparquet or DuckDB. */
const { readParquet } = createRequire(import.meta.url)('parquet-wasm') as typeof import('parquet-wasm');

const FOLDER = dirname(fileURLToPath(import.meta.url));

const test = suite<{ folder: string }>('files for an independent reader');

test.before.each((state) => {
  state.folder = makeTempFolder();
});
test.after.each(({ folder }) => removeFolder(folder));

function read(path: string): Table {
  return tableFromIPC(readParquet(readFileSync(path)).intoIPCStream());
}

/** A value of the other library as a lake row has it. */
function plainValue(table: Table, { name, type }: Column, index: number): unknown {
  const value: unknown = table.getChild(name)?.get(index) ?? null;
  if (value === null) return null;
  const digits = (scale: number) => {
    const text = String(util.bigNumToString(value as never)).padStart(scale + 1, '0');
    return scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
  };
  switch (type) {
    case 'uuid': {
      const hex = Buffer.from(value as Uint8Array).toString('hex');
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    }
    case 'uint64':
      return BigInt(digits(0));
    case 'money':
      return digits(6);
    case 'timestamp':
      return new Date(Number(value));
    default:
      return value;
  }
}

function rowOf(table: Table, index: number): Record<string, unknown> {
  const columns: readonly Column[] = LAKE_COLUMNS;
  return Object.fromEntries(columns.map((column) => [column.name, plainValue(table, column, index)]));
}

const FULL: Partial<LakeRow> = {
  claim: 'Ünï 🦆 "quoted"',
  bootstrap_seed: 18_446_744_073_709_551_615n,
  cost_usd: '123456.000001',
  cached_from: '0199c3a5-0000-7000-8000-00000000000a',
  was_cached: true,
  prob_true_logprob: 5e-324,
  n_readouts: 0,
  readouts_by_status_json: '{"valid":8}',
  revision: 3,
  deleted_at: new Date('2026-11-05T01:02:03.456Z'),
};

test('one run, and ranges small and large, have every value', async ({ folder }) => {
  const full = lakeRow(1, FULL);
  assert.equal(rowOf(read((await appendRun(folder, full)).path), 0), full);
  const many = Array.from({ length: 1_200 }, (_, number) => lakeRow(number, number % 2 === 0 ? FULL : {}));
  const table = read((await writeRange(folder, many)).path);
  assert.is(table.numRows, many.length);
  for (const index of [0, 1, 1_198, 1_199]) assert.equal(rowOf(table, index), many[index]);
});

test('what DuckDB writes has every value too', async ({ folder }) => {
  const rows = [lakeRow(1, FULL), lakeRow(2)].map((row) => ({ ...row, lane: 'operational' }));
  const field = (column: Column, value: unknown): string => {
    if (value === null || value === undefined) return '';
    if (column.type === 'timestamp') return String((value as Date).getTime() * 1_000);
    return String(value);
  };
  const line = (row: LakeRow) =>
    (EXPORT_COLUMNS as readonly Column[])
      .map((column) => field(column, row[column.name as keyof LakeRow]))
      .join(TRANSFER.delimiter);
  async function* text() {
    yield Buffer.from(`${rows.map(line).join('\n')}\n`);
  }
  const loader = await BulkLoader.open();
  try {
    const { name } = await writeRangeBulk(
      loader,
      {
        storage: new LocalStorage(folder),
        chain: { environment: 'local', instance: INSTANCE },
        rectangle: { lo: 0n, hi: 9n, since: null, until: null },
        binding: 'cluster:1/2',
        isOpen: async () => true,
      },
      { day: '2026-11-01', kind: 'u', rows: 2 },
      text(),
      new AbortController().signal,
    );
    const table = read(join(folder, name));
    for (const [index, row] of rows.entries()) assert.equal(rowOf(table, index), row);
  } finally {
    await loader.close();
  }
});

test('a stored file of every schema version opens', () => {
  for (const version of ['v1', 'v2', 'v3']) {
    const [file = ''] = readdirSync(join(FOLDER, version));
    const table = read(join(FOLDER, version, file));
    assert.is(table.numRows, 1);
    assert.is(table.getChild('claim')?.get(0), `A row of schema version ${version.slice(1)}.`);
  }
});

test.run();
