import { newMark, processIdOf, writerOf } from '../base/process-mark.js';
import { RUN_COLUMNS, type RunRecord } from '../rpl/record.js';
import type { Connection } from './connection.js';
import { rowFromSqlite } from './rows.js';

/**
 * Which finished runs are in the lake, and which process is bringing one there. Only one ever is: a process may stand
 * still for days within an append, and what it then does must not come after another one's append, whose file
 * compaction has taken in and removed since.
 */
export class Publications {
  private readonly connection: Connection;
  private readonly writer = newMark();

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Finished runs whose row is not known to be in the lake. */
  missing(): RunRecord[] {
    const rows = this.connection
      .prepare(
        'select * from runs where run_id not in (select run_id from published_runs) order by created_at',
      )
      .all();
    return rows.map((row) => rowFromSqlite(RUN_COLUMNS, row as Record<string, unknown>));
  }

  /** Whether a run's row was appended to the lake. */
  isDone(runId: string): boolean {
    return this.connection.prepare('select 1 from published_runs where run_id = ?').get(runId) !== undefined;
  }

  /**
   * Makes this the only one that may append the run, until `end` or `giveUp`, or until the process ends.
   * @returns false while another process that has begun lives.
   */
  begin(runId: string): boolean {
    return this.connection.lightly(() => {
      const writer = this.writerOf(runId);
      const isTaken = writer !== undefined && writer !== this.writer && writerOf(writer) === 'alive';
      if (!isTaken) this.take(runId);
      return !isTaken;
    });
  }

  /** Does so in the caller's transaction, of a run that nobody else knows yet. */
  take(runId: string): void {
    this.connection
      .prepare('insert or replace into appends (run_id, writer) values (?, ?)')
      .run(runId, this.writer);
  }

  /** Whether this is the one that may append the run. */
  isOurs(runId: string): boolean {
    return this.writerOf(runId) === this.writer;
  }

  /** The process id of the one that may append the run; undefined where nobody has begun. */
  processOf(runId: string): number | undefined {
    const writer = this.writerOf(runId);
    return writer === undefined ? undefined : processIdOf(writer);
  }

  /** Records that a run is in the lake, whoever brought it there. */
  end(runId: string, publishedAt: Date): void {
    this.connection.lightly(() => {
      this.connection
        .prepare('insert or ignore into published_runs (run_id, published_at) values (?, ?)')
        .run(runId, publishedAt.toISOString());
      this.free(runId);
    });
  }

  /** Leaves the run to whoever comes next, as the lake did not take it. */
  giveUp(runId: string): void {
    this.connection.lightly(() => this.free(runId));
  }

  /** Another process's append stays its own, even when its row is seen in the lake: it may be trying again. */
  private free(runId: string): void {
    this.connection.prepare('delete from appends where run_id = ? and writer = ?').run(runId, this.writer);
  }

  private writerOf(runId: string): string | undefined {
    return this.connection.prepare('select writer from appends where run_id = ?').pluck().get(runId) as
      | string
      | undefined;
  }
}
