import { type FileHandle, open } from 'node:fs/promises';
import type { SchemaElement } from 'hyparquet';
import { onDisk } from '../storage/disk.js';
import type { PublishedFile, StagedFile } from '../storage/storage.js';

/** Rows of a row group: what a writer holds in memory at most. */
export const ROW_GROUP_ROWS = 10_000;

export interface ColumnValues {
  readonly name: string;
  readonly data: unknown[];
  /** Whether to keep the smallest and largest value, by which readers skip row groups. */
  readonly statistics?: boolean;
}

/** Snappy needs nothing loaded and makes files of few rows smaller; zstd halves files of many rows. */
export type Codec = 'SNAPPY' | 'ZSTD';

/** The level by which 10,000 rows become smallest; higher ones take longer for nothing. */
const ZSTD_LEVEL = 1;

export interface ParquetFileOptions {
  /** What the file says of itself, beside its columns. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly codec?: Codec;
}

/** A Parquet file under way. Each `write` becomes one row group and goes to the disk before it resolves. */
export interface ParquetFile {
  write(columns: readonly ColumnValues[]): Promise<void>;
  /** Writes the footer and publishes the file. */
  publish(): Promise<PublishedFile>;
  discard(): Promise<void>;
}

/**
 * Opens a Parquet file that appears only when it is published whole.
 * @param staged where it is written, and how it is published.
 * @throws HxError `failed` when the disk refuses.
 */
export async function openParquetFile(
  staged: StagedFile,
  schema: SchemaElement[],
  { metadata = {}, codec = 'SNAPPY' }: ParquetFileOptions = {},
): Promise<ParquetFile> {
  const { ByteWriter, ParquetWriter } = await import('hyparquet-writer');
  const compressors = codec === 'ZSTD' ? { ZSTD: await loadZstd() } : {};
  const writing = <T>(work: () => Promise<T>) => onDisk('write', staged.path, work);
  const handle = await writing(() => open(staged.path, 'r+'));
  const parquet = new ParquetWriter({
    writer: flushingWriter(new ByteWriter(), handle),
    schema,
    codec,
    compressors,
    ...descriptionOf(metadata),
  });
  return {
    write: (columns) =>
      writing(async () =>
        parquet.write({ columnData: withoutOffsets(columns), rowGroupSize: ROW_GROUP_ROWS }),
      ),
    publish: async () => {
      await writing(async () => {
        await parquet.finish();
        await handle.close();
      });
      return staged.publish();
    },
    discard: async () => {
      await handle.close();
      await staged.discard();
    },
  };
}

/** What a file says of itself, as the encoder takes it. */
function descriptionOf(metadata: Readonly<Record<string, string>>) {
  return { kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })), createdBy: 'hx' };
}

/** Our files have one page a column and row group, so an index of pages would say nothing. */
function withoutOffsets(columns: readonly ColumnValues[]) {
  return columns.map((column) => ({ ...column, offsetIndex: false }));
}

async function loadZstd(): Promise<(input: Uint8Array) => Uint8Array> {
  const { Zstd } = await import('@hpcc-js/wasm-zstd');
  const zstd = await Zstd.load();
  return (input) => zstd.compress(input, ZSTD_LEVEL);
}

interface ByteBuffer {
  index: number;
  getBytes(): Uint8Array;
}

/** Empties the encoder's buffer into the file after every row group, so that only one is held in memory. */
function flushingWriter<W extends ByteBuffer>(writer: W, handle: FileHandle): W {
  const flush = async () => {
    await handle.writeFile(writer.getBytes());
    writer.index = 0;
  };
  return Object.assign(writer, { flush, finish: flush });
}
