import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { encodeColumns, type LakeRow, parquetSchema, SCHEMA_VERSION } from '../../src/lake/files/schema.js';

/** A whole file of the lake, as the writer encodes it. */
export async function parquetBytes(rows: readonly LakeRow[]): Promise<Uint8Array> {
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({
    writer,
    schema: parquetSchema(),
    kvMetadata: [{ key: 'hx.schema_version', value: String(SCHEMA_VERSION) }],
    createdBy: 'hx',
  });
  const columnData = encodeColumns(rows).map((column) => ({ ...column, offsetIndex: false }));
  await parquet.write({ columnData });
  await parquet.finish();
  return writer.getBytes();
}

/** Puts a file of these rows, which are of one environment and day, into the lake under a name of our choice. */
export async function putFile(exportsDir: string, name: string, rows: readonly LakeRow[]): Promise<string> {
  const [first] = rows;
  if (first === undefined) throw new Error('A file needs rows.');
  const folder = join(exportsDir, first.env, `dt=${first.created_at.toISOString().slice(0, 10)}`);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, await parquetBytes(rows));
  return path;
}
