import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
import { columnValue, duckdbType, LAKE_COLUMNS, SCHEMA_VERSIONS } from './schema.js';

/** The views of the lake, each a file in sql/catalog/, in the order in which they build on each other. */
export const VIEW_NAMES = [
  'checks',
  'checks_local',
  'checks_development',
  'checks_production',
  'research_runs',
  'operational_checks',
] as const;

/** Which schema versions have files; the views are made for exactly these. */
export async function presentVersions(exportsDir: string): Promise<readonly number[]> {
  const missing = new Set(SCHEMA_VERSIONS);
  for (const environment of await folders(exportsDir)) {
    for (const partition of await folders(join(exportsDir, environment), 'dt=')) {
      for (const name of await names(join(exportsDir, environment, partition))) {
        const version = /^\w-s(\d+)-.*\.parquet$/.exec(name)?.[1];
        if (version !== undefined) missing.delete(Number(version));
        if (missing.size === 0) return SCHEMA_VERSIONS;
      }
    }
  }
  return SCHEMA_VERSIONS.filter((version) => !missing.has(version));
}

/**
 * The statements that make (or remake) every view over the given versions' files. Without files the views are
 * there, empty, with the same columns.
 */
export function catalogStatements(exportsDir: string, versions: readonly number[]): string[] {
  const sources = versions.map((version) => versionSelect(exportsDir, version));
  const rows = sources.length === 0 ? [emptySelect()] : sources;
  return [
    'CREATE SCHEMA IF NOT EXISTS lake',
    `CREATE OR REPLACE VIEW lake.rows AS ${rows.join('\nUNION ALL BY NAME\n')}`,
    ...VIEW_NAMES.map((name) => `CREATE OR REPLACE VIEW ${name} AS ${catalogSql(name)}`),
  ];
}

/** One plain glob a version: nothing is merged between files, so binding reads one footer. */
function versionSelect(exportsDir: string, version: number): string {
  const glob = join(escapeGlob(exportsDir), '*', 'dt=*', `?-s${version}-*.parquet`);
  const columns = LAKE_COLUMNS.map((column) => {
    return `CAST(${columnValue(version, column.name)} AS ${duckdbType(column)}) AS ${column.name}`;
  });
  const source = `read_parquet(${quote(glob)}, hive_partitioning = false, union_by_name = false)`;
  return `SELECT ${columns.join(', ')}, ${version} AS schema_version, filename FROM ${source}`;
}

function emptySelect(): string {
  const columns = LAKE_COLUMNS.map((column) => `CAST(NULL AS ${duckdbType(column)}) AS ${column.name}`);
  return `SELECT ${columns.join(', ')}, 0 AS schema_version, '' AS filename WHERE false`;
}

function catalogSql(name: string): string {
  const path = packagePath('sql', 'catalog', `${name}.sql`);
  return readFileSync(path, 'utf8').replace(/;\s*$/, '');
}

/** A text as a SQL literal. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A path whose own characters mean themselves in DuckDB's globs. */
export function escapeGlob(path: string): string {
  return path.replace(/[[\]*?]/g, (character) => (character === ']' ? character : `[${character}]`));
}

async function folders(path: string, prefix = ''): Promise<string[]> {
  return (await names(path)).filter((name) => name.startsWith(prefix) && !name.startsWith('.'));
}

/** The entries of a folder; none when it is missing or no folder. */
async function names(path: string): Promise<string[]> {
  if (!existsSync(path)) return [];
  try {
    return await readdir(path);
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR' || systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
