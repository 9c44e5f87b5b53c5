import type { TransactionSql } from 'postgres';
import type { Environment } from '../../base/environments.js';
import { HxError } from '../../base/errors.js';
import type { EmitProgress } from '../../base/events.js';
import { type OpenOptions, withDirectSession } from '../connect.js';
import { copyIn, copyOut } from '../copy.js';
import { readFingerprint } from '../schema/fingerprint/read.js';
import { checkDump } from './check.js';
import { Digest, type TableDigest } from './digest.js';
import { requireOwn } from './dump.js';
import { type DumpHeader, type DumpTrailer, damaged, type SequenceState } from './format.js';
import { RowCounter } from './progress.js';
import { DumpReader } from './reader.js';
import { checkTarget, lockAll } from './restorable.js';
import { copyInStatement, copyOutStatement, type DataTable, declareData, readTables } from './tables.js';

export interface RestoreOptions extends OpenOptions {
  /** Absolute path of the dump. */
  readonly path: string;
  /** Check the dump and the database, and write nothing. */
  readonly dryRun: boolean;
}

/** What was restored, read back from the database before it was committed. */
export interface RestoreReport {
  readonly environment: Environment;
  /** UUID of the database that was restored into, and of the one that was dumped. */
  readonly instance: string;
  readonly dumpedInstance: string;
  readonly dumpedAt: string;
  readonly fingerprint: string;
  readonly rows: number;
  readonly tables: readonly TableDigest[];
  /** False after a dry run. */
  readonly restored: boolean;
}

/**
 * Puts the rows of a dump into the chosen environment's database, which must have the same schema and no rows, in one
 * transaction; it is committed only if the database then has the same rows and the same schema.
 * @throws HxError `usage` for no dump, `conflict` for a damaged one, another schema or a database with rows,
 * `refused` for another environment, and what connecting throws.
 */
export async function restoreDump(options: RestoreOptions): Promise<RestoreReport> {
  const { path, signal, emit } = options;
  const { environment } = options.settings;
  // Everything is read before anything is written.
  const { header, trailer } = await checkDump(path, environment, signal, emit);
  const session = { applicationName: 'hx db restore', pinned: true };
  return withDirectSession(options, session, async (sql) => {
    let report: RestoreReport | undefined;
    await sql.begin(async (transaction) => {
      const { instance } = await requireOwn(transaction, environment);
      await declareData(transaction, environment);
      const data = await readTables(transaction);
      await lockAll(transaction, data.tables);
      await checkTarget(transaction, header, data.tables, environment);
      if (!options.dryRun) await load(transaction, { header, trailer }, data.tables, options);
      report = {
        environment,
        instance,
        dumpedInstance: header.instance,
        dumpedAt: header.created_at,
        fingerprint: header.fingerprint,
        rows: trailer.tables.reduce((sum, table) => sum + table.rows, 0),
        tables: trailer.tables,
        restored: !options.dryRun,
      };
      // From here on it is the server's to say whether it was committed.
      signal.throwIfAborted();
    });
    if (report === undefined) throw new HxError('bug', 'A restore ended without a report.');
    return report;
  });
}

interface Dump {
  readonly header: DumpHeader;
  readonly trailer: DumpTrailer;
}

async function load(
  sql: TransactionSql,
  { header, trailer }: Dump,
  tables: readonly DataTable[],
  { path, signal, emit }: RestoreOptions,
): Promise<void> {
  await sql.unsafe('set constraints all deferred');
  const reader = new DumpReader(path);
  try {
    const again = await reader.header();
    const counter = new RowCounter('rows restored', header, emit);
    for (const table of header.tables) {
      const own = tables.find(({ name }) => name === table.name);
      if (own === undefined) throw new HxError('bug', `There is no table ${table.name} to restore.`);
      const rows = counted(reader.rows(table), counter);
      await copyIn(sql, copyInStatement({ ...own, columns: table.columns }), rows, signal);
      counter.next(table.rows);
    }
    const { sha256 } = await reader.trailer();
    if (sha256 !== trailer.sha256 || again.fingerprint !== header.fingerprint) {
      throw damaged(path, 'it was changed while it was read');
    }
  } finally {
    await reader.close();
  }
  await restoreSequences(sql, trailer.sequences);
  await sql.unsafe('set constraints all immediate');
  await verify(sql, { header, trailer }, tables, signal, emit);
}

async function* counted(pieces: AsyncIterable<Buffer>, counter: RowCounter): AsyncGenerator<Buffer> {
  const digest = new Digest();
  for await (const piece of pieces) {
    digest.add(piece);
    counter.show(digest.rows);
    yield piece;
  }
}

/**
 * Sets sequences as they were. Alone, setval would outlive a transaction that fails; restarting first gives the
 * sequence a new file, which goes with the transaction.
 */
async function restoreSequences(sql: TransactionSql, states: readonly SequenceState[]): Promise<void> {
  for (const { name, last_value, is_called } of states) {
    await sql.unsafe(`alter sequence ${name} restart`);
    await sql`select setval(${name}::text::regclass, ${last_value}::text::bigint, ${is_called})`;
  }
}

/** @throws HxError `failed` when the database does not hold what the dump does. */
async function verify(
  sql: TransactionSql,
  { header, trailer }: Dump,
  tables: readonly DataTable[],
  signal: AbortSignal,
  emit: EmitProgress,
): Promise<void> {
  const counter = new RowCounter('rows verified', header, emit);
  for (const written of trailer.tables) {
    const table = tables.find(({ name }) => name === written.name);
    if (table === undefined) throw new HxError('bug', `There is no table ${written.name} to verify.`);
    const digest = new Digest();
    for await (const piece of copyOut(sql, copyOutStatement(table), signal)) {
      digest.add(piece);
      counter.show(digest.rows);
    }
    counter.next(digest.rows);
    const found = digest.of(written.name);
    if (found.rows !== written.rows || found.sha256 !== written.sha256) {
      throw rolledBack(`${written.name} would not hold the rows that were dumped`);
    }
  }
  if ((await readFingerprint(sql)).hash !== header.fingerprint) throw rolledBack('the schema would change');
}

function rolledBack(what: string): HxError {
  return new HxError('failed', `The restore was rolled back: ${what}.`, {
    hint: 'A trigger or a default of the database changes rows as they come in; see hx migrate verify.',
  });
}
