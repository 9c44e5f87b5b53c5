import { type Readout, readoutFromRow, readoutToRow } from '../rpl/readout.js';
import { READOUT_COLUMNS, type ReadoutRow } from '../rpl/record.js';
import type { Connection } from './connection.js';
import { rowFromSqlite, rowToSqlite } from './rows.js';
import type { Execution } from './store.js';

/** A readout and the run that made it. */
export interface StoredReadout {
  readonly readoutId: number;
  readonly runId: string;
  readonly readout: Readout;
}

/** The readouts in lane B's store; append-only. */
export class ReadoutStore {
  private readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Commits readouts, together. */
  append({ executionId, runId }: Execution, readouts: readonly Readout[]): void {
    this.connection.durably(() => {
      for (const readout of readouts) {
        const row = rowToSqlite(READOUT_COLUMNS, readoutToRow(readout));
        this.connection.insert('readouts', { execution_id: executionId, run_id: runId, ...row });
      }
    });
  }

  /** Every stored readout under the given keys, whichever run made it, oldest first. */
  stored(keys: readonly string[]): StoredReadout[] {
    const statement = this.connection.prepareFile('reusable_readouts.sql');
    const rows = statement.all(JSON.stringify(keys)) as (Record<string, unknown> & {
      readout_id: number;
      run_id: string;
    })[];
    return rows.map((row) => ({ readoutId: row.readout_id, runId: row.run_id, readout: readoutOf(row) }));
  }

  /** Records which readouts a finished execution rests on, in the caller's transaction. */
  use(execution: Execution, readouts: readonly StoredReadout[]): void {
    for (const { readoutId, runId, readout } of readouts) {
      this.connection.insert('execution_readouts', {
        execution_id: execution.executionId,
        readout_key: readout.sampleKey,
        readout_id: readoutId,
        reused: runId === execution.runId ? 0 : 1,
      });
    }
  }

  /** The readouts that a finished run rests on, one a template. */
  of(runId: string): Readout[] {
    const statement = this.connection.prepareFile('run_readouts.sql');
    return (statement.all(runId) as Record<string, unknown>[]).map(readoutOf);
  }
}

function readoutOf(row: Readonly<Record<string, unknown>>): Readout {
  return readoutFromRow(rowFromSqlite(READOUT_COLUMNS, row) as ReadoutRow);
}
