import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HxError, messageOf, systemCode } from '../../base/errors.js';
import { packagePath } from '../../base/paths.js';
import { type MigrationHeader, readHeader } from './header.js';

/** One numbered file of `migrations/`. */
export interface Migration extends MigrationHeader {
  readonly number: number;
  /** The file's name, `0001_identity.sql`. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file's bytes, hex. */
  readonly hash: string;
}

const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;
const SUM_FILE = 'migrations.sum';

export function migrationsFolder(): string {
  return packagePath('migrations');
}

/** The names of the migration files in order. */
export function migrationNames(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.sql'))
      .sort();
  } catch (error) {
    throw new HxError('configuration', `Cannot read the migrations: ${messageOf(error)}`, { cause: error });
  }
}

export function numberOf(name: string): number {
  const digits = FILE_NAME.exec(name)?.[1];
  if (digits === undefined) {
    throw new HxError('conflict', `${name} is not a name for a migration.`, {
      hint: 'Name it NNNN_words_like_this.sql.',
    });
  }
  return Number(digits);
}

/**
 * Reads the migration files in order.
 * @throws HxError `conflict` for a name that is none, a number used twice, a header at fault, or files that differ
 * from migrations.sum.
 */
export function readMigrations(folder: string): Migration[] {
  const migrations = readMigrationFiles(folder);
  const problem = findSumMismatch(folder, migrations);
  if (problem !== undefined) throw problem;
  return migrations;
}

/** The first line at which migrations.sum and the files part. */
export function findSumMismatch(folder: string, migrations: readonly Migration[]): HxError | undefined {
  const expected = sumLines(migrations);
  const recorded = readSum(folder);
  for (let line = 0; line < Math.max(expected.length, recorded.length); line += 1) {
    if (expected[line] !== recorded[line]) return sumMismatch(migrations, recorded, line);
  }
  return undefined;
}

/** Reads the files in order, those too that are still being written: migrations.sum does not count. */
export function readMigrationFiles(folder: string): Migration[] {
  const migrations = migrationNames(folder).map((name): Migration => {
    const bytes = readFileSync(join(folder, name));
    const hash = createHash('sha256').update(bytes).digest('hex');
    const sql = bytes.toString('utf8');
    return { number: numberOf(name), name, sql, hash, ...readHeader(name, sql) };
  });
  for (const [index, migration] of migrations.entries()) {
    const previous = migrations[index - 1];
    if (previous?.number === migration.number) {
      throw new HxError('conflict', `${previous.name} and ${migration.name} have the same number.`, {
        hint: 'Give the newer one the next free number, then run hx migrate sum.',
      });
    }
  }
  return migrations;
}

/**
 * The lines of migrations.sum. Each hash covers its file and the line before, so that two branches which both
 * add a migration meet as a conflict in version control.
 */
function sumLines(migrations: readonly Migration[]): string[] {
  let previous = '';
  return migrations.map(({ name, hash }) => {
    previous = createHash('sha256').update(`${previous}\n${name}\n${hash}`).digest('hex');
    return `${name} ${previous}`;
  });
}

function readSum(folder: string): string[] {
  try {
    return readFileSync(join(folder, SUM_FILE), 'utf8').trim().split('\n').filter(Boolean);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function sumMismatch(migrations: readonly Migration[], recorded: readonly string[], line: number): HxError {
  const file = migrations[line]?.name;
  const listed = recorded[line]?.split(' ')[0];
  if (listed === undefined) {
    return new HxError('conflict', `${file} is not in ${SUM_FILE} yet.`, { hint: 'hx migrate sum' });
  }
  if (file === listed) {
    return new HxError('conflict', `${file} was edited after it was written down in ${SUM_FILE}.`, {
      hint: 'Restore it and put the change into a new migration. If it was never applied anywhere: hx migrate sum --rewrite.',
    });
  }
  return new HxError('conflict', `${SUM_FILE} lists ${listed} where the folder has ${file ?? 'nothing'}.`, {
    hint: 'Restore the missing file, or give the added one the next free number. If none was applied anywhere: hx migrate sum --rewrite.',
  });
}

export interface SumResult {
  readonly file: string;
  readonly migrations: number;
  readonly added: readonly string[];
}

/**
 * Writes migrations.sum. New files at the end are added; anything else is a rewrite.
 * @throws HxError `conflict` when it would rewrite a line and `rewrite` is off, and as readMigrations.
 */
export function writeSum(folder: string, rewrite: boolean): SumResult {
  const migrations = readMigrationFiles(folder);
  const lines = sumLines(migrations);
  const recorded = readSum(folder);
  const changed = recorded.findIndex((line, index) => line !== lines[index]);
  if (changed !== -1 && !rewrite) throw sumMismatch(migrations, recorded, changed);
  const file = join(folder, SUM_FILE);
  writeFileSync(file, `${lines.join('\n')}\n`);
  const added = migrations.map(({ name }) => name).filter((_name, index) => recorded[index] !== lines[index]);
  return { file, migrations: migrations.length, added };
}
