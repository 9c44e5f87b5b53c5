import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeRowFile } from '../../src/lake/files/row-file.js';
import { encodeColumns, LAKE_COLUMNS, type LakeRow, parquetSchema } from '../../src/lake/files/schema.js';
import { lakeRow } from './rows.js';

const test = suite('file of one row');

const METADATA = { 'hx.schema_version': '3', 'hx.env': 'local' };

/** The same file by the library, which encodes whatever there is. */
async function byLibrary(row: LakeRow): Promise<Uint8Array> {
  const writer = new ByteWriter();
  const kvMetadata = Object.entries(METADATA).map(([key, value]) => ({ key, value }));
  const schema = parquetSchema();
  const parquet = new ParquetWriter({ writer, schema, codec: 'UNCOMPRESSED', kvMetadata, createdBy: 'hx' });
  const columnData = encodeColumns([row]).map((column) => ({ ...column, offsetIndex: false }));
  await parquet.write({ columnData });
  await parquet.finish();
  return writer.getBytes();
}

const NULLS = Object.fromEntries(
  LAKE_COLUMNS.filter(({ nullable }) => nullable).map(({ name }) => [name, null]),
) as Partial<LakeRow>;

const CASES: Readonly<Record<string, Partial<LakeRow>>> = {
  'an ordinary row': {},
  'nulls wherever they may be': NULLS,
  'names that are longer than statistics': { model: `provider/${'long-'.repeat(30)}`, env: 'e'.repeat(64) },
  'names cut within a letter': { model: `${'m'.repeat(63)}éé`, lane: 'research' },
  'letters of every width': { claim: 'Tides – 潮汐 – 🌊 – \u0000 "quoted"\n', model: '模型/🌊' },
  'an empty text': { claim: '', model: '' },
  'a text of a megabyte': { claim: 'Tides. '.repeat(200_000) },
  'numbers at their ends': {
    bootstrap_seed: 2n ** 64n - 1n,
    tokens_in: 2 ** 31 - 1,
    n_failed: -(2 ** 31) + 1,
    logit: -0,
    ci_lo: Number.MIN_VALUE,
    ci_hi: Number.MAX_VALUE,
    cost_usd: '-999999.999999',
  },
  'no money and no seed': { cost_usd: '0', bootstrap_seed: 0n },
  'instants before 1970 and far ahead': {
    created_at: new Date('1969-12-31T23:59:59.999Z'),
    deleted_at: new Date('9999-12-31T00:00:00Z'),
  },
};

for (const [name, given] of Object.entries(CASES)) {
  test(`${name}: the bytes are those of the library`, async () => {
    const row = lakeRow(1, given);
    const ours = await encodeRowFile(parquetSchema(), encodeColumns([row]), METADATA);
    assert.ok(Buffer.compare(ours, await byLibrary(row)) === 0);
  });
}

test('three hundred rows of all kinds: the bytes are those of the library', async () => {
  const cases = Object.values(CASES).filter(({ claim = '' }) => claim.length < 1_000);
  for (let number = 0; number < 300; number += 1) {
    const row = lakeRow(number, {
      ...cases[number % cases.length],
      elapsed_ms: number / 7,
      tokens_out: number * 7_919,
      sampler_json: JSON.stringify({ slots: Array.from({ length: number }, String) }),
      gate_width: number % 3 === 0,
    });
    const ours = await encodeRowFile(parquetSchema(), encodeColumns([row]), METADATA);
    assert.ok(Buffer.compare(ours, await byLibrary(row)) === 0, `row ${number}`);
  }
});

test('a run id that is none is refused', async () => {
  const columns = encodeColumns([lakeRow(1, { run_id: 'not-a-uuid' })]);
  await encodeRowFile(parquetSchema(), columns, METADATA).then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, 'run_id cannot hold not-a-uuid'),
  );
});

test.run();
