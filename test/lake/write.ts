import { join } from 'node:path';
import type { Rectangle } from '../../src/lake/catalog/range-names.js';
import { type RangePart, writeRangeFile } from '../../src/lake/export/range-file.js';
import type { LakeRow, WritableRow } from '../../src/lake/files/schema.js';
import { LocalStorage } from '../../src/lake/storage/local.js';
import { appendRun as append } from '../../src/lake/writer.js';

/** Appends a run to the lake in a folder. Returns the path of its file. */
export async function appendRun(exportsDir: string, row: LakeRow): Promise<{ path: string }> {
  return { path: join(exportsDir, await append(new LocalStorage(exportsDir), row)) };
}

export const INSTANCE = '1234abcd-0000-4000-8000-000000000001';

export interface Written {
  readonly instance?: string;
  readonly rectangle?: Rectangle;
  readonly part?: Partial<RangePart>;
}

/** Writes rows of one day as an export does, without its records. Returns the path of the file. */
export async function writeRange(
  exportsDir: string,
  rows: readonly WritableRow[],
  { instance = INSTANCE, rectangle, part }: Written = {},
): Promise<{ path: string; rows: number; bytes: number }> {
  const storage = new LocalStorage(exportsDir);
  async function* batches() {
    for (let start = 0; start < rows.length; start += 2_000) yield rows.slice(start, start + 2_000);
  }
  const { name, ...written } = await writeRangeFile(
    {
      storage,
      chain: { environment: 'local', instance },
      rectangle: rectangle ?? { lo: 0n, hi: 100n, since: null, until: null },
      binding: 'cluster:1/2',
      isOpen: async () => true,
    },
    { day: '2026-11-01', kind: 'x', rows: rows.length, ...part },
    batches(),
  );
  return { path: join(exportsDir, name), ...written };
}
