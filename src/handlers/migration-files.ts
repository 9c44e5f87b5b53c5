import { basename, resolve } from 'node:path';
import * as t from 'typanion';
import { HxError, systemCode } from '../base/errors.js';
import { readTextFile, whyUnreadable } from '../base/text-file.js';
import type { Finding } from '../operational/schema/lint/lint.js';
import type { RuleName } from '../operational/schema/lint/names.js';
import type { NewMigration } from '../operational/schema/new.js';
import { defineHandler } from './handler.js';

/** What is unsafe in migrations. */
export interface MigrateLintResult {
  /** The files that were read, by name. */
  readonly files: readonly string[];
  readonly findings: readonly Finding[];
}

/** Lints the files given, or all migrations, without any database. */
export const migrateLint = defineHandler({
  name: 'migrate lint',
  input: t.isObject({ files: t.isArray(t.isString()) }),
  async run({ files }, { settings }): Promise<MigrateLintResult> {
    const { migrationsFolder, readMigrationFiles } = await import('../operational/schema/files.js');
    const { lintMigration } = await import('../operational/schema/lint/lint.js');
    const { readHeader } = await import('../operational/schema/header.js');
    const findings: Finding[] = [];
    if (files.length === 0) {
      const migrations = readMigrationFiles(migrationsFolder());
      for (const migration of migrations) findings.push(...(await lintMigration(migration)));
      return { files: migrations.map(({ name }) => name), findings };
    }
    for (const file of files) {
      const sql = await readMigration(file, [
        resolve(settings.folder, file),
        resolve(migrationsFolder(), file),
      ]);
      const name = basename(file);
      findings.push(...(await lintMigration({ name, sql, ...readHeader(name, sql) })));
    }
    return { files, findings };
  },
});

/** A path of the user's, or the name of one of the migrations of hx. */
async function readMigration(file: string, [path, ...others]: readonly string[]): Promise<string> {
  try {
    return await readTextFile(path ?? file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' && others.length > 0) return readMigration(file, others);
    throw new HxError('usage', `Cannot read ${file}: ${whyUnreadable(error)}.`, {
      hint: 'Give a path, or the name of a file in migrations/.',
      cause: error,
    });
  }
}

/** One rule of the lint, as it is shown. */
export interface MigrateRule {
  readonly name: RuleName;
  readonly finds: string;
  readonly danger: string;
  readonly safe: string;
  readonly isWaivable: boolean;
}

export const migrateRules = defineHandler({
  name: 'migrate rules',
  input: t.isObject({}),
  async run(): Promise<MigrateRule[]> {
    const { RULES } = await import('../operational/schema/lint/rules/index.js');
    return Object.values(RULES).map(({ name, finds, danger, safe, isWaivable = true }) => ({
      name,
      finds,
      danger,
      safe,
      isWaivable,
    }));
  },
});

export const migrateNew = defineHandler({
  name: 'migrate new',
  input: t.isObject({ name: t.isString(), steps: t.isOptional(t.isBoolean()) }),
  async run({ name, steps = false }, { signal }): Promise<NewMigration> {
    const { migrationsFolder } = await import('../operational/schema/files.js');
    const { createMigration } = await import('../operational/schema/new.js');
    return createMigration(migrationsFolder().replace(/[\\/]$/, ''), name, steps ? 'steps' : 'tx', signal);
  },
});

export const migrateSum = defineHandler({
  name: 'migrate sum',
  input: t.isObject({ rewrite: t.isOptional(t.isBoolean()) }),
  async run({ rewrite = false }) {
    const { migrationsFolder, writeSum } = await import('../operational/schema/files.js');
    return writeSum(migrationsFolder(), rewrite);
  },
});
