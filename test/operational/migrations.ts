import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrationsFolder, writeSum } from '../../src/operational/schema/files.js';
import type { MigrateOptions } from '../../src/operational/schema/migrator.js';
import { makeTempFolder, type TestDatabase } from '../helpers.js';

/** A copy of the folder of migrations that a test may add to. */
export function copyMigrations(): string {
  const folder = makeTempFolder();
  cpSync(migrationsFolder(), folder, { recursive: true });
  return folder;
}

/** Writes a migration into a folder, and into its sum. */
export function addMigration(folder: string, name: string, sql: string): void {
  writeFileSync(join(folder, name), sql);
  writeSum(folder, true);
}

/** Options of a migrator of a database, with notes collected where a list is given. */
export function migrateOptions(
  { settings }: Pick<TestDatabase, 'settings'>,
  folder: string,
  notes: string[] = [],
): MigrateOptions {
  const emit: MigrateOptions['emit'] = (event) => void (event.type === 'note' && notes.push(event.message));
  return { settings, signal: new AbortController().signal, emit, folder };
}
