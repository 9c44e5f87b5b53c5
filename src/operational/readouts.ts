import { type Readout, readoutFromRow, readoutToRow } from '../rpl/readout.js';
import { READOUT_COLUMNS } from '../rpl/record.js';
import type { Database } from './connection.js';
import { rowFromPostgres, rowToPostgres } from './rows.js';

/** Commits readouts of a run, together. */
export async function insertReadouts(
  database: Database,
  runId: string,
  readouts: readonly { readonly readoutId: string; readonly readout: Readout }[],
): Promise<void> {
  const rows = readouts.map(({ readoutId, readout }) => ({
    ...rowToPostgres(READOUT_COLUMNS, readoutToRow(readout)),
    readout_id: readoutId,
    run_id: runId,
    env: database.environment,
  }));
  await database.write((sql) => sql`insert into readouts ${sql(rows)}`);
}

/** Every readout of a run, in the order in which they were stored. */
export async function readReadouts(database: Database, runId: string): Promise<Readout[]> {
  const names = READOUT_COLUMNS.map(({ name }) => name);
  const rows = await database.read(
    (sql) => sql`select ${sql(names)} from readouts where run_id = ${runId} order by stored_at, readout_id`,
  );
  return rows.map((row) => readoutFromRow(rowFromPostgres(READOUT_COLUMNS, row)));
}
