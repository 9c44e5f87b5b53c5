import { existsSync } from 'node:fs';
import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diskHint } from '../../base/disk-hints.js';
import { HxError, messageOf, systemCode } from '../../base/errors.js';
import { makeWorkFolder } from '../../base/left-overs.js';
import { newMark } from '../../base/process-mark.js';
import { catalogStatements } from '../catalog/catalog.js';
import { LakeListing } from '../catalog/lake-listing.js';
import { exportsFolder } from '../files/partition.js';
import { CATALOG_FOLDER } from '../left-overs.js';
import { syncFile } from '../storage/disk.js';
import { loadDuckdb } from './duckdb-api.js';
import { engineError } from './failures.js';

/** The lake's views as a DuckDB database, for other tools, beside the `exports` folder. */
export const CATALOG_NAME = 'catalog.duckdb';

/** The statements that made the catalog: by them it is known whether it is up to date, without DuckDB. */
const CATALOG_SQL_NAME = 'catalog.sql';

/**
 * Brings `catalog.duckdb` up to date when its views would not find every live file, and replaces it in one step: a
 * tool that has the old one open goes on with the files it lists, which stay for an hour.
 * @returns whether it was replaced.
 * @throws HxError `failed` when the data folder cannot be written or DuckDB cannot read a file.
 */
export async function refreshCatalogFile(dataDir: string): Promise<boolean> {
  const exportsDir = exportsFolder(dataDir);
  const statements = catalogStatements(exportsDir, new LakeListing(exportsDir).read());
  const sql = `-- The lake's views. Made by hx; catalog.duckdb holds the same.\n${statements.join(';\n')};\n`;
  const path = join(dataDir, CATALOG_NAME);
  const sqlPath = join(dataDir, CATALOG_SQL_NAME);
  if (existsSync(path) && (await textIfThere(sqlPath)) === sql) return false;
  const suffix = `.${newMark()}.tmp`;
  try {
    await makeCatalog(`${path}${suffix}`, statements);
    await writeFile(`${sqlPath}${suffix}`, sql);
    await rename(`${path}${suffix}`, path);
    await rename(`${sqlPath}${suffix}`, sqlPath);
    return true;
  } catch (error) {
    const { message, hint } = engineError(error, '');
    const isDuckdb = /^[A-Za-z ]+ Error: /.test(messageOf(error));
    throw new HxError('failed', `Cannot write ${path}, which only other tools read: ${message}`, {
      cause: error,
      hint: isDuckdb ? hint : (diskHint(error) ?? SPACE),
    });
  } finally {
    for (const file of [path, sqlPath]) await rm(`${file}${suffix}`, { force: true });
  }
}

const SPACE = 'Check the space and the permissions of the data folder and of that for temporary files.';

/** DuckDB finds no place for its log where a path holds a `?`, so it writes elsewhere. */
async function makeCatalog(path: string, statements: readonly string[]): Promise<void> {
  const folder = makeWorkFolder(CATALOG_FOLDER);
  try {
    const made = join(folder, CATALOG_NAME);
    await writeCatalog(made, statements);
    await copyFile(made, path);
    await syncFile(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeCatalog(path: string, statements: readonly string[]): Promise<void> {
  const instance = await loadDuckdb().DuckDBInstance.create(path);
  try {
    const connection = await instance.connect();
    await connection.run([...statements, 'CHECKPOINT'].join('; '));
    connection.closeSync();
  } finally {
    instance.closeSync();
  }
}

async function textIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
