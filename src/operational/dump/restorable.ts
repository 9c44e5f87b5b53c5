import type { TransactionSql } from 'postgres';
import type { Environment } from '../../base/environments.js';
import { HxError } from '../../base/errors.js';
import { readFingerprint } from '../schema/fingerprint/read.js';
import { appliedMigrations, objectHashes } from './dump.js';
import type { DumpHeader } from './format.js';
import type { DataTable } from './tables.js';

/** So many objects that differ fit into a message; the others are among its facts. */
const NAMED_AT_MOST = 5;

/** Nobody else writes to any table, restores or migrates until the transaction ends; reading goes on. */
export async function lockAll(sql: TransactionSql, tables: readonly DataTable[]): Promise<void> {
  const names = tables.map(({ name }) => name).join(', ');
  if (names !== '') await sql.unsafe(`lock table ${names} in share row exclusive mode`);
}

/**
 * Makes sure that a database has the schema of the dump and no rows.
 * @throws HxError `conflict` saying what differs, or which tables have rows.
 */
export async function checkTarget(
  sql: TransactionSql,
  header: DumpHeader,
  tables: readonly DataTable[],
  environment: Environment,
): Promise<void> {
  await checkMigrations(sql, header, environment);
  await checkSchema(sql, header, environment);
  const filled: string[] = [];
  for (const { name } of tables) {
    const [row] = await sql.unsafe<{ filled: boolean }[]>(`select exists (select from ${name}) as filled`);
    if (row?.filled === true) filled.push(name);
  }
  if (filled.length === 0) return;
  const what = filled.length === 1 ? `the table ${filled[0]} has` : `the tables ${filled.join(', ')} have`;
  throw new HxError('conflict', `The ${environment} database is not empty: ${what} rows.`, {
    hint:
      environment === 'local'
        ? 'Dump it if it is worth keeping, then: hx db reset --yes && hx db up && hx migrate, and restore again.'
        : 'Point DATABASE_URL_DEV to an empty database, run hx migrate --env development, and restore again.',
    facts: { filled },
  });
}

async function checkMigrations(
  sql: TransactionSql,
  header: DumpHeader,
  environment: Environment,
): Promise<void> {
  const label = ({ number, hash }: DumpHeader['migrations'][number]) => `${number} ${hash}`;
  const found = await appliedMigrations(sql);
  const own = new Set(found.map(label));
  const theirs = new Set(header.migrations.map(label));
  const lacking = header.migrations.filter((migration) => !own.has(label(migration)));
  const extra = found.filter((migration) => !theirs.has(label(migration)));
  if (lacking.length === 0 && extra.length === 0) return;
  const flag = environment === 'local' ? '' : ` --env ${environment}`;
  const last = header.migrations.at(-1)?.number ?? 0;
  const parts = [
    ...lacking.slice(0, NAMED_AT_MOST).map(({ name }) => `lacks ${name}`),
    ...extra.slice(0, NAMED_AT_MOST).map(({ name }) => `has ${name} besides`),
  ];
  const facts = { lacking: lacking.map(({ name }) => name), extra: extra.map(({ name }) => name) };
  throw new HxError(
    'conflict',
    `The ${environment} database is at other migrations than the dump: it ${parts.join(', ')}.`,
    {
      hint:
        extra.length === 0
          ? `hx migrate${flag} --to ${last}, then restore.`
          : `Restore into an empty database at the dump's migrations (hx migrate${flag} --to ${last}), then run hx migrate${flag}.`,
      facts,
    },
  );
}

async function checkSchema(sql: TransactionSql, header: DumpHeader, environment: Environment): Promise<void> {
  const fingerprint = await readFingerprint(sql);
  if (fingerprint.hash === header.fingerprint) return;
  const own = objectHashes(fingerprint);
  const names = [...new Set([...Object.keys(own), ...Object.keys(header.objects)])].sort();
  const differing = names.filter((name) => own[name] !== header.objects[name]);
  const more = differing.length - NAMED_AT_MOST;
  const named = `${differing.slice(0, NAMED_AT_MOST).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  throw new HxError('conflict', `The ${environment} database has another schema than the dump: ${named}.`, {
    hint: 'One of the two was changed by hand; hx migrate diff names how this one differs from the migrations.',
    facts: { differing },
  });
}
