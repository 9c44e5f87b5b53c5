import { readFileSync } from 'node:fs';
import type { Database as Sqlite } from 'better-sqlite3';
import { packagePath } from '../base/paths.js';
import { type Readout, readoutFromRow, readoutToRow } from '../rpl/readout.js';
import { READOUT_COLUMNS, type ReadoutRow } from '../rpl/record.js';
import { insertRow, rowFromSqlite, rowToSqlite } from './rows.js';
import type { Execution } from './store.js';

/** A readout and the run that made it. */
export interface StoredReadout {
  readonly readoutId: number;
  readonly runId: string;
  readonly readout: Readout;
}

/** The readouts in lane B's store; append-only. */
export class ReadoutStore {
  private readonly sqlite: Sqlite;

  constructor(sqlite: Sqlite) {
    this.sqlite = sqlite;
  }

  /** Commits readouts, together. */
  append({ executionId, runId }: Execution, readouts: readonly Readout[]): void {
    this.sqlite
      .transaction(() => {
        for (const readout of readouts) {
          const row = rowToSqlite(READOUT_COLUMNS, readoutToRow(readout));
          insertRow(this.sqlite, 'readouts', { execution_id: executionId, run_id: runId, ...row });
        }
      })
      .immediate();
  }

  /** Every stored readout under the given keys, whichever run made it, oldest first. */
  stored(keys: readonly string[]): StoredReadout[] {
    const sql = readFileSync(packagePath('sql', 'sqlite', 'reusable_readouts.sql'), 'utf8');
    const rows = this.sqlite.prepare(sql).all(JSON.stringify(keys)) as (Record<string, unknown> & {
      readout_id: number;
      run_id: string;
    })[];
    return rows.map((row) => ({ readoutId: row.readout_id, runId: row.run_id, readout: readoutOf(row) }));
  }

  /** Records which readouts a finished execution rests on, in the caller's transaction. */
  use(execution: Execution, readouts: readonly StoredReadout[]): void {
    for (const { readoutId, runId, readout } of readouts) {
      insertRow(this.sqlite, 'execution_readouts', {
        execution_id: execution.executionId,
        readout_key: readout.sampleKey,
        readout_id: readoutId,
        reused: runId === execution.runId ? 0 : 1,
      });
    }
  }

  /** The readouts that a finished run rests on, one a template. */
  of(runId: string): Readout[] {
    const sql = readFileSync(packagePath('sql', 'sqlite', 'run_readouts.sql'), 'utf8');
    return (this.sqlite.prepare(sql).all(runId) as Record<string, unknown>[]).map(readoutOf);
  }
}

function readoutOf(row: Readonly<Record<string, unknown>>): Readout {
  return readoutFromRow(rowFromSqlite(READOUT_COLUMNS, row) as ReadoutRow);
}
