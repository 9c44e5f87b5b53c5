import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Sql } from 'postgres';
import { applyMigrations } from '../../src/operational/schema/apply.js';
import { readFingerprint } from '../../src/operational/schema/fingerprint/read.js';
import { readLedger } from '../../src/operational/schema/ledger.js';
import type { TestDatabase } from '../helpers.js';
import { type KillMoment, KillProxy } from './kill-proxy.js';
import { addMigration, migrateOptions } from './migrations.js';

const MIGRATOR = fileURLToPath(new URL('./migrator-process.ts', import.meta.url));

/** Adds a migration in one transaction and one in steps, with an index built beside the traffic. */
export function addTwoMigrations(folder: string): void {
  addMigration(
    folder,
    '9000_tags.sql',
    "create table tags (env text, label text);\nselect hx.guard_table('tags');\n",
  );
  addMigration(
    folder,
    '9001_labels.sql',
    `-- hx: mode=steps
insert into tags values ('local', 'a'), ('local', 'b');
create unique index concurrently tags_label_idx on tags (label);
drop index concurrently tags_label_idx;
create index concurrently tags_env_idx on tags (env, label);
comment on table tags is 'labels';
`,
  );
}

/** What the database has become: its schema, its ledger without times, and its data. */
export async function outcome(sql: Sql): Promise<string> {
  const { hash } = await readFingerprint(sql);
  const ledger = (await readLedger(sql)).map(
    ({ number, fingerprintAfter }) => `${number} ${fingerprintAfter}`,
  );
  const [rows] = await sql`select count(*)::integer as tags from tags`;
  const [applied] = await sql`
    select count(*)::integer as times, count(distinct number)::integer as migrations
    from hx.migration_event where kind = 'applied'`;
  return JSON.stringify({ hash, ledger, ...rows, ...applied });
}

/**
 * Runs a migrator as a process of its own and kills it with SIGKILL at one of its messages.
 * @returns how many messages it sent, and whether it was killed.
 */
export async function runAndKill(
  database: TestDatabase,
  folder: string,
  strikeAt: number,
  moment: KillMoment,
): Promise<{ sent: number; killed: boolean }> {
  let kill: () => void = () => undefined;
  const { proxy, url } = await KillProxy.start(database.url, strikeAt, moment, () => kill());
  const env = { PATH: process.env['PATH'], DATABASE_URL: url, HX_DATA_DIR: folder };
  const child = spawn(process.execPath, ['--import', 'tsx', MIGRATOR, folder], { env, stdio: 'ignore' });
  kill = () => void child.kill('SIGKILL');
  await once(child, 'exit');
  await proxy.stop();
  return { sent: proxy.sent, killed: child.signalCode === 'SIGKILL' };
}

/** Migrates to the end, whatever was left. */
export async function resume(database: TestDatabase, folder: string): Promise<void> {
  await applyMigrations(migrateOptions(database, folder));
}
