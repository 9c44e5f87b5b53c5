import { CHANGE_COLUMNS, type CheckRecord } from '../rpl/record.js';
import { CHECK_COLUMNS } from './checks.js';
import type { Database } from './connection.js';
import { rowFromPostgres } from './rows.js';

/** Rows that travel from Postgres at once. */
const BATCH_ROWS = 2_000;

/** A check with its instants in microseconds since 1970, of which a `Date` would keep milliseconds. */
export type ExportedCheck = Omit<CheckRecord, 'created_at'> & {
  readonly created_at: bigint;
  readonly revision: number;
  readonly deleted_at: bigint | null;
};

const EXPORTED_COLUMNS = [...CHECK_COLUMNS, ...CHANGE_COLUMNS] as const;

export interface CheckRange {
  /** First instant. */
  readonly since: Date;
  /** First instant after the range. */
  readonly before: Date;
}

/**
 * Streams the environment's checks of a range, in the order of created_at, to `consume`: batches of up to 2,000
 * rows, all from one snapshot. Only the measured columns leave the database, never who asked.
 * @returns what `consume` returns.
 * @throws HxError, translated, and whatever `consume` throws.
 */
export async function exportChecks<T>(
  database: Database,
  { since, before }: CheckRange,
  consume: (batches: AsyncIterable<ExportedCheck[]>) => Promise<T>,
): Promise<T> {
  const names = EXPORTED_COLUMNS.map(({ name }) => name);
  return database.snapshot((sql) => {
    const query = sql`
      select ${sql(names)}, (extract(epoch from created_at) * 1000000)::bigint as created_micros from checks
      where env = ${database.environment} and deleted_at is null and created_at >= ${since} and created_at < ${before} order by created_at, run_id`;
    return consume(decode(query.cursor(BATCH_ROWS)));
  });
}

async function* decode(
  batches: AsyncIterable<readonly Readonly<Record<string, unknown>>[]>,
): AsyncGenerator<ExportedCheck[]> {
  for await (const batch of batches) {
    yield batch.map((stored) => ({
      ...rowFromPostgres(EXPORTED_COLUMNS, stored),
      created_at: BigInt(stored['created_micros'] as string),
      deleted_at: null,
    }));
  }
}
