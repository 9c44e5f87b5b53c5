import type { Sql, TransactionSql } from 'postgres';
import { Tally } from '../../../lake/compaction/tally.js';
import { fillChecks } from '../sample-checks.js';

/** Copies a stored check under new run ids, over some days. */
const INSERT = `insert into checks select made.*
  from (select * from checks order by created_at, run_id limit 1) first, generate_series(1, $1::int) as n,
    jsonb_populate_record(null::checks, to_jsonb(first) || jsonb_build_object('run_id', gen_random_uuid(),
      'created_at', timestamptz '2026-10-01 12:00:00+00' + (n % $2::int) * interval '1 day' + n * interval '1 ms',
      'xid', pg_current_xact_id()::text, 'revision', 0, 'deleted_at', null)) as made`;

/** Stores some checks again as they are, which counts as a change. */
const UPDATE = `update checks set claim = claim where run_id in
  (select run_id from checks where deleted_at is null order by random() limit $1)`;

const DELETE = `update checks set deleted_at = now() where run_id in
    (select run_id from checks where deleted_at is null order by random() limit $1)
  returning revision`;

/** Inserts, changes and deletes the checks of a database, and counts what it did. */
export class Checks {
  readonly tally = new Tally();
  /** The tally as of the last change that is committed. */
  committed = this.tally.copy();
  private readonly sql: Sql;

  /** @param sql of an empty database. */
  constructor(sql: Sql) {
    this.sql = sql;
  }

  /** Stores checks on as many days as there are. */
  async insert(rows: number, days: number): Promise<void> {
    if (this.tally.inserted.begun === 0) {
      this.tally.inserted.begun += 1;
      await fillChecks(this.sql, 1, 1);
    }
    this.tally.inserted.begun += rows;
    await this.write((sql) => sql.unsafe(INSERT, [rows, days]));
  }

  async update(rows: number): Promise<void> {
    this.tally.updated.begun += rows;
    await this.write((sql) => sql.unsafe(UPDATE, [rows]));
  }

  async delete(rows: number): Promise<void> {
    this.tally.deleted.begun += rows;
    await this.write(async (sql) => {
      const deleted = await sql.unsafe(DELETE, [rows]);
      // A deletion is a change as well: what it takes off the sum is what was there before.
      for (const { revision } of deleted) this.tally.deletedRevisions.begun += Number(revision) - 1;
    });
  }

  private async write(work: (sql: TransactionSql) => Promise<unknown>): Promise<void> {
    await this.sql.begin(async (sql) => {
      await sql`select set_config('hx.env', 'local', true)`;
      await work(sql);
    });
    this.committed = this.tally.copy();
  }
}
