import type { TransactionSql } from 'postgres';
import type { Environment } from '../../base/environments.js';
import { HxError } from '../../base/errors.js';
import type { EmitProgress } from '../../base/events.js';
import { type OpenOptions, withDirectSession } from '../connect.js';
import { copyOut } from '../copy.js';
import { checkIdentity, type Identity, readIdentity } from '../identity.js';
import { type Fingerprint, readFingerprint } from '../schema/fingerprint/read.js';
import { hxVersion, readLedger } from '../schema/ledger.js';
import { Digest, type TableDigest } from './digest.js';
import { DumpFile } from './file.js';
import { type DumpHeader, END_OF_ROWS, FORMAT, type SequenceState, seal, VERSION } from './format.js';
import { RowCounter } from './progress.js';
import {
  copyOutStatement,
  type DataTable,
  type DataTables,
  declareData,
  type LeftOut,
  readTables,
} from './tables.js';

export interface DumpOptions extends OpenOptions {
  /** Absolute path of the file to make. */
  readonly path: string;
  readonly now: Date;
}

/** What a dump holds. */
export interface DumpReport {
  readonly environment: Environment;
  /** UUID of the database. */
  readonly instance: string;
  readonly path: string;
  /** Size of the file, compressed. */
  readonly bytes: number;
  /** Of the schema, hex. */
  readonly fingerprint: string;
  readonly rows: number;
  readonly tables: readonly TableDigest[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * Writes all data of the chosen environment, as it was at one moment, to a file that appears only when it is whole.
 * @throws HxError `refused` for another environment's database or an unclaimed copy, `usage` when the file is there
 * already, `conflict` for a database that was never migrated, and what connecting and writing throw.
 */
export function dumpDatabase(options: DumpOptions): Promise<DumpReport> {
  const session = { applicationName: 'hx db dump', pinned: true };
  return withDirectSession(options, session, async (sql, { environment }) => {
    const file = await DumpFile.create(options.path);
    try {
      let report: Omit<DumpReport, 'path' | 'bytes'> | undefined;
      await sql.begin('isolation level repeatable read read only', async (snapshot) => {
        report = await writeDump(snapshot, file, environment, options);
      });
      options.signal.throwIfAborted();
      if (report === undefined) throw new HxError('bug', 'A dump ended without a report.');
      return { ...report, path: options.path, bytes: await file.publish() };
    } catch (error) {
      await file.discard();
      throw error;
    }
  });
}

async function writeDump(
  sql: TransactionSql,
  file: DumpFile,
  environment: Environment,
  { signal, emit, now }: DumpOptions,
): Promise<Omit<DumpReport, 'path' | 'bytes'>> {
  const { instance } = await requireOwn(sql, environment);
  await declareData(sql, environment);
  const data = await readTables(sql);
  await lockAgainstChange(sql, data.tables);
  const fingerprint = await readFingerprint(sql);
  const header = await describe(sql, { environment, instance, data, fingerprint, now });
  await file.write(`${JSON.stringify(header)}\n`);
  const tables = await writeTables(sql, file, header, data.tables, signal, emit);
  const last = JSON.stringify({ tables, sequences: await readSequences(sql, data.sequences) });
  await file.write(last.slice(0, -1));
  await file.write(`${seal(file.sha256)}\n`);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return {
    environment,
    instance,
    fingerprint: fingerprint.hash,
    rows,
    tables,
    leftOut: data.leftOut,
  };
}

/** @throws HxError as checkIdentity, and `conflict` for a database that was never migrated. */
export async function requireOwn(sql: TransactionSql, environment: Environment): Promise<Identity> {
  const identity = await readIdentity(sql);
  if (identity === undefined) {
    throw new HxError('conflict', `The ${environment} database was never migrated.`, {
      hint: `hx migrate --env ${environment}`,
    });
  }
  checkIdentity(identity, environment);
  return identity;
}

/** A table that is rewritten or truncated meanwhile would look empty from an older snapshot. */
async function lockAgainstChange(sql: TransactionSql, tables: readonly DataTable[]): Promise<void> {
  const names = tables.map(({ name }) => name).join(', ');
  if (names !== '') await sql.unsafe(`lock table ${names} in access share mode`);
}

interface Described {
  readonly environment: Environment;
  readonly instance: string;
  readonly data: DataTables;
  readonly fingerprint: Fingerprint;
  readonly now: Date;
}

async function describe(
  sql: TransactionSql,
  { environment, instance, data, fingerprint, now }: Described,
): Promise<DumpHeader> {
  const [server] = await sql<{ version: string }[]>`select current_setting('server_version') as version`;
  const tables: DumpHeader['tables'] = [];
  for (const { name, columns, only } of data.tables) {
    const from = `${only ? 'only ' : ''}${name}`;
    const [counted] = await sql.unsafe<{ rows: string }[]>(`select count(*) as rows from ${from}`);
    tables.push({ name, columns: [...columns], rows: Number(counted?.rows) });
  }
  return {
    format: FORMAT,
    version: VERSION,
    environment,
    instance,
    created_at: now.toISOString(),
    hx_version: hxVersion(),
    server_version: server?.version ?? '',
    fingerprint: fingerprint.hash,
    objects: objectHashes(fingerprint),
    migrations: await appliedMigrations(sql),
    tables,
    left_out: data.leftOut.map((one) => ({ ...one })),
  };
}

/** Every object of a schema by kind and name, for telling what differs between two. */
export function objectHashes({ objects }: Fingerprint): Record<string, string> {
  return Object.fromEntries(objects.map(({ kind, name, hash }) => [`${kind} ${name}`, hash]));
}

/** The migrations of a database, with the hashes of their statements alone: a comment may change. */
export async function appliedMigrations(sql: TransactionSql): Promise<DumpHeader['migrations']> {
  const ledger = await readLedger(sql);
  return ledger.map(({ number, name, semanticHash }) => ({ number, name, hash: semanticHash }));
}

async function writeTables(
  sql: TransactionSql,
  file: DumpFile,
  header: DumpHeader,
  tables: readonly DataTable[],
  signal: AbortSignal,
  emit: EmitProgress,
): Promise<TableDigest[]> {
  const counter = new RowCounter('rows dumped', header, emit);
  const digests: TableDigest[] = [];
  for (const table of tables) {
    const digest = new Digest();
    for await (const piece of copyOut(sql, copyOutStatement(table), signal)) {
      digest.add(piece);
      counter.show(digest.rows);
      await file.write(piece);
    }
    await file.write(END_OF_ROWS);
    counter.next(digest.rows);
    digests.push(digest.of(table.name));
  }
  return digests;
}

/** Sequences stand outside of snapshots, so they are read last: none is behind the rows. */
async function readSequences(sql: TransactionSql, names: readonly string[]): Promise<SequenceState[]> {
  const states: SequenceState[] = [];
  for (const name of names) {
    const [state] = await sql.unsafe<{ last_value: string; is_called: boolean }[]>(
      `select last_value::text, is_called from ${name}`,
    );
    if (state !== undefined) states.push({ name, ...state });
  }
  return states;
}
