import { readFile } from 'node:fs/promises';
import type { Row, TransactionSql } from 'postgres';
import { HxError } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
import type { Column } from '../rpl/column.js';
import { type CheckRecord, EXPORT_COLUMNS } from '../rpl/record.js';
import { TRANSFER } from '../rpl/transfer.js';
import { answerOf } from './cancel.js';
import type { Database } from './connection.js';
import { copyOut } from './copy.js';
import { holdSteady } from './steady-settings.js';

/** Rows that travel from Postgres at once. */
const BATCH_ROWS = 2_000;

/** What of a deleted check stays behind beside its JSON: what was asked. */
const ERASED_WHEN_DELETED: ReadonlySet<string> = new Set(['claim', 'claim_hash']);

/** Days have four digits of a year in the lake. */
const FIRST_DAY = '0001-01-01';
const LAST_DAY = '9999-12-31';

/** Past every transaction. */
export const END_OF_TRANSACTIONS = 2n ** 64n - 1n;

/** A check with its instants in microseconds since 1970, of which a `Date` would keep milliseconds. */
export type ExportedCheck = Omit<CheckRecord, 'created_at'> & {
  readonly created_at: bigint;
  readonly revision: number;
  readonly deleted_at: bigint | null;
};

/** Transactions `[lo, hi)` and UTC dates, both included; null for no end. */
export interface CheckRange {
  readonly lo: bigint;
  readonly hi: bigint;
  readonly since: string | null;
  readonly until: string | null;
}

/** Which checks to read: those of a range that are in none of the others. */
export interface Selection {
  readonly range: CheckRange;
  readonly without: readonly CheckRange[];
}

/** The checks of a selection on one UTC date: never changed, or changed (deleted ones among them). */
export interface DayGroup {
  readonly day: string;
  readonly changed: boolean;
  readonly rows: number;
  /** Of these, the deleted ones. */
  readonly deleted: number;
}

/** What a snapshot sees of the transactions. */
export interface Horizon {
  /** Every transaction before it has ended, so what it wrote is seen or will never be. */
  readonly settled: bigint;
  /** No transaction from here on is seen. */
  readonly next: bigint;
  /** Where the database lives, as its identity says it. */
  readonly binding: string;
}

/** Who is in a transaction: a session, or nobody when it was prepared to be committed later. */
export interface TransactionHolder {
  readonly transaction: string;
  readonly pid: number | null;
  /** The name under which it was prepared. */
  readonly prepared: string | null;
  /** Of the same server, not always the one that is exported. */
  readonly database: string | null;
  readonly login: string | null;
}

/** One moment of the database, as exports see it. */
export class CheckSnapshot {
  private readonly sql: TransactionSql;
  private readonly environment: string;
  private readonly signal: AbortSignal;

  /** @param signal stops what the server is asked. */
  constructor(sql: TransactionSql, environment: string, signal: AbortSignal) {
    this.sql = sql;
    this.environment = environment;
    this.signal = signal;
  }

  async horizon(): Promise<Horizon> {
    const [row] = await this.ask<{ settled: string; next: string; binding: string }>(
      `select pg_snapshot_xmin(pg_current_snapshot())::text as settled,
        pg_snapshot_xmax(pg_current_snapshot())::text as next, hx.binding() as binding`,
    );
    const { settled = '0', next = '0', binding = '' } = row ?? {};
    return { settled: BigInt(settled), next: BigInt(next), binding };
  }

  /**
   * How many checks there are on each day, in the order of days.
   * @throws HxError `failed` for checks on days that no folder can be named after.
   */
  async count(selection: Selection): Promise<DayGroup[]> {
    const rows = await this.ask<{ day: string; changed: boolean; rows: string; deleted: string }>(
      `select case when created_at >= ${midnight(FIRST_DAY)} and created_at < ${midnight(LAST_DAY)} + interval '1 day'
           then to_char(created_at at time zone 'UTC', 'YYYY-MM-DD') else '' end as day, revision > 0 as changed,
         count(*) as rows, count(deleted_at) as deleted
       from checks where ${this.where(selection)} group by 1, 2 order by 1, 2`,
    );
    if (rows.some(({ day }) => day === '')) {
      throw new HxError(
        'failed',
        `A check of ${this.environment} was not created from ${FIRST_DAY} to ${LAST_DAY}.`,
        {
          hint: `Its owner has to remove it: select run_id, created_at from checks where created_at not between '${FIRST_DAY}' and '${LAST_DAY}'.`,
        },
      );
    }
    return rows.map(({ day, changed, rows: count, deleted }) => ({
      day,
      changed,
      rows: Number(count),
      deleted: Number(deleted),
    }));
  }

  /**
   * How many checks of some days came after what is settled: a transaction that is still open may be before them.
   * @throws HxError `conflict` for checks that are numbered past every transaction of the server.
   */
  async countWaiting(
    { settled, next }: Horizon,
    { since, until }: Pick<CheckRange, 'since' | 'until'>,
  ): Promise<number> {
    const range = { lo: settled, hi: END_OF_TRANSACTIONS, since, until };
    const [row] = await this.ask<{ rows: string; foreign: string }>(
      `select count(*) as rows, count(*) filter (where xid >= '${next}'::xid8) as foreign
       from checks where ${this.where({ range, without: [] })}`,
    );
    const { rows = '0', foreign = '0' } = row ?? {};
    if (foreign !== '0') throw foreignNumbers(this.environment, Number(foreign), next);
    return Number(rows);
  }

  /** Who is in a transaction; undefined when it has ended by now. */
  async holder(transaction: bigint): Promise<TransactionHolder | undefined> {
    const statement = await readFile(packagePath('sql', 'postgres', 'transaction_holder.sql'), 'utf8');
    const [holder] = await this.ask<TransactionHolder>(statement, [String(transaction)]);
    return holder === undefined ? undefined : { ...holder };
  }

  /** Streams the checks of one day of a selection, in the order of created_at, in batches of up to 2,000 rows. */
  async *read(
    selection: Selection,
    group: Pick<DayGroup, 'day' | 'changed'>,
  ): AsyncGenerator<ExportedCheck[]> {
    const query = this.sql.unsafe(this.query(selection, group));
    for await (const batch of query.cursor(BATCH_ROWS)) yield batch.map(decode);
  }

  /** The same rows as text in the form of TRANSFER, in batches of whole rows. */
  copy(selection: Selection, group: Pick<DayGroup, 'day' | 'changed'>): AsyncGenerator<Buffer> {
    return copyOut(this.sql, `copy (${this.query(selection, group)}) to stdout (${FORM})`, this.signal);
  }

  /**
   * All checks of one day as text, however often they were changed, and after their columns whether they are in one
   * of the ranges.
   */
  copyDay(day: string, exported: readonly CheckRange[]): AsyncGenerator<Buffer> {
    const list = EXPORT_COLUMNS.map((column) => exportedValue(column, true));
    const isExported = exported.map((range) => `(${within(range).join(' and ')})`).join(' or ') || 'false';
    const rows = `select ${list.join(', ')}, ${isExported} from checks
      where env = '${this.environment}' and created_at >= ${midnight(day)} and created_at < ${midnight(day)} + interval '1 day'`;
    return copyOut(this.sql, `copy (${rows}) to stdout (${FORM})`, this.signal);
  }

  private ask<T extends Row>(statement: string, values: string[] = []): Promise<readonly T[]> {
    return answerOf(this.sql.unsafe<T[]>(statement, values), this.signal);
  }

  private query(selection: Selection, { day, changed }: Pick<DayGroup, 'day' | 'changed'>): string {
    const list = EXPORT_COLUMNS.map((column) => `${exportedValue(column, changed)} as ${column.name}`);
    const { range, without } = selection;
    const ofDay = { range: { ...range, since: day, until: day }, without };
    return `select ${list.join(', ')} from checks
      where ${this.where(ofDay)} and revision ${changed ? '> 0' : '= 0'} order by checks.created_at, checks.run_id`;
  }

  private where({ range, without }: Selection): string {
    const parts = [`env = '${this.environment}'`, ...within(range)];
    for (const other of without) parts.push(`not (${within(other).join(' and ')})`);
    return parts.join(' and ');
  }
}

/**
 * Runs `work` on one moment of the database.
 * @throws the signal's reason when it is aborted, also while the server is at work.
 */
export function withSnapshot<T>(
  database: Database,
  signal: AbortSignal,
  work: (snapshot: CheckSnapshot) => Promise<T>,
): Promise<T> {
  return database.snapshot(async (sql) => {
    // Dates and instants are written into the statements as UTC.
    await holdSteady(sql);
    return work(new CheckSnapshot(sql, database.environment, signal));
  });
}

/** How a column leaves the database: instants in microseconds since 1970, JSON as its text. */
function exportedValue({ name, type }: Column, changed: boolean): string {
  if (type === 'timestamp') return `(extract(epoch from ${name}) * 1000000)::bigint`;
  const value = type === 'json' ? `${name}::text` : name;
  if (!changed || (type !== 'json' && !ERASED_WHEN_DELETED.has(name))) return value;
  return `case when deleted_at is null then ${value} else ${type === 'json' ? "'{}'" : "''"} end`;
}

/** Literals, as COPY takes no parameters: numbers, and dates that are checked. */
function within({ lo, hi, since, until }: CheckRange): string[] {
  return [
    `xid >= '${lo}'::xid8 and xid < '${hi}'::xid8`,
    ...(since === null ? [] : [`created_at >= ${midnight(since)}`]),
    ...(until === null ? [] : [`created_at < ${midnight(until)} + interval '1 day'`]),
  ];
}

function foreignNumbers(environment: string, rows: number, next: bigint): HxError {
  return new HxError(
    'conflict',
    `${rows} ${rows === 1 ? 'check' : 'checks'} of ${environment} came from another server: their transaction numbers are past ${next}, which this one has not reached.`,
    {
      hint: `Its owner numbers them anew: set hx.env = '${environment}'; update checks set run_id = run_id where xid >= pg_snapshot_xmax(pg_current_snapshot());`,
    },
  );
}

function midnight(date: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) throw new Error(`not a date: ${date}`);
  return `timestamptz '${date} 00:00:00+00'`;
}

function literal(mark: string): string {
  return `E'\\x${mark.charCodeAt(0).toString(16).padStart(2, '0')}'`;
}

const FORM = `format csv, delimiter ${literal(TRANSFER.delimiter)}, quote ${literal(TRANSFER.quote)}`;

function decode(stored: Readonly<Record<string, unknown>>): ExportedCheck {
  const row = { ...stored };
  for (const { name, type } of EXPORT_COLUMNS) {
    const value = row[name];
    if (value !== null && (type === 'timestamp' || type === 'uint64')) row[name] = BigInt(value as string);
  }
  return row as unknown as ExportedCheck;
}
