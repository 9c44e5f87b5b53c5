import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
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

export async function fails(
  work: Promise<unknown>,
  code: string,
  words: RegExp,
  hint?: RegExp,
): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof HxError, String(error));
    assert.is(error.code, code, error.message);
    assert.match(error.message, words);
    if (hint !== undefined) assert.match(error.hint ?? '', hint);
    return;
  }
  assert.unreachable('it did not fail');
}
