import { readFile } from 'node:fs/promises';
import { packagePath } from '../../base/paths.js';
import type { Queryable } from '../session.js';

/** An index that slows every write and serves no query, because building it did not end. */
export interface InvalidIndex {
  /** Qualified and quoted where that is needed. */
  readonly name: string;
  /** Waits for the indexes of its partitions. */
  readonly partitioned: boolean;
  /** Made by a REINDEX CONCURRENTLY, whose names for them are fixed; the index that it was for is still there. */
  readonly leftover: boolean;
  /** The backend that builds it just now. */
  readonly builder: number | null;
}

export async function readInvalidIndexes(sql: Queryable): Promise<InvalidIndex[]> {
  const query = await readFile(packagePath('sql', 'postgres', 'invalid_indexes.sql'), 'utf8');
  return sql.unsafe<InvalidIndex[]>(query);
}
