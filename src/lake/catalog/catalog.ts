import { readFileSync } from 'node:fs';
import { packagePath } from '../../base/paths.js';
import type { FileKind } from '../files/lake-file.js';
import { hasScheme } from '../files/partition.js';
import { columnValue, duckdbType, fileType, LAKE_COLUMNS, SCHEMA_VERSIONS } from '../files/schema.js';
import type { EnvironmentFiles } from './lake-listing.js';
import { type LiveDay, liveDays } from './live-files.js';

/** The views of the lake, each a file in sql/catalog/, in the order in which they build on each other. */
export const VIEW_NAMES = [
  'checks',
  'checks_local',
  'checks_development',
  'checks_production',
  'research_runs',
  'operational_checks',
] as const;

/** The day of a row's partition, which the views show after LAKE_COLUMNS: a filter on it leaves folders unread. */
export const DAY_COLUMN = { name: 'dt', type: 'DATE' } as const;

/** A view of the lake, and the statement that it is. */
export interface View {
  readonly name: string;
  readonly sql: string;
}

/**
 * The statements that make every view over the live files of a lake, in a database that has none of them.
 * @throws HxError `failed` when a newer hx compacted the lake.
 */
export function catalogStatements(url: string, environments: readonly EnvironmentFiles[]): string[] {
  const views = catalogViews(url, environments).map(({ name, sql }) => `CREATE VIEW ${name} AS ${sql}`);
  return ['CREATE SCHEMA lake', ...views];
}

/**
 * Every view over the live files of a lake, each after those that it reads. Without files VIEW_NAMES are there,
 * empty, with the same columns.
 * @param url the lake's folder, or `s3://bucket/prefix`.
 * @throws HxError `failed` when a newer hx compacted the lake.
 */
export function catalogViews(url: string, environments: readonly EnvironmentFiles[]): View[] {
  const sources = environments.map((files) => sourcesOf(url, files.environment, liveDays(files)));
  const selectsOf = (part: keyof Sources) => sources.flatMap((source) => source[part]);
  // A part without files is left out: each would cost every view as much as all else.
  const parts = PART_NAMES.filter((part) => selectsOf(part).length > 0);
  const others = ROW_SELECTS.filter(({ part }) => parts.includes(part)).map(({ file }) => catalogSql(file));
  return [
    ...parts.map((part) => ({ name: `lake.${part}`, sql: union(selectsOf(part)) })),
    { name: 'lake.rows', sql: union([...selectsOf('unchanged'), ...others]) },
    ...VIEW_NAMES.map((name) => ({ name, sql: catalogSql(name) })),
  ];
}

/**
 * The parts of an environment's live files that need more than to be read: `changed` and `updates` are those of days
 * with updated rows, never updated rows and updated ones; `shared` those of days that several databases exported.
 */
const PART_NAMES = ['changed', 'updates', 'shared'] as const;
type PartName = (typeof PART_NAMES)[number];

/** What each part adds to the rows of the lake, by the part without which there is nothing to add. */
const ROW_SELECTS: readonly { readonly part: PartName; readonly file: string }[] = [
  { part: 'changed', file: 'lake/never_updated_rows' },
  { part: 'updates', file: 'lake/newest_updates' },
  { part: 'shared', file: 'lake/shared_rows' },
];

/** The selects over each part; `unchanged` is the days on which no row was updated since it was exported. */
type Sources = Readonly<Record<PartName | 'unchanged', readonly string[]>>;

function sourcesOf(url: string, environment: string, days: readonly LiveDay[]): Sources {
  const shared = days.filter(({ isShared }) => isShared);
  const changed = days.filter((day) => !day.isShared && has(day, ['u']));
  const unchanged = days.filter((day) => !day.isShared && !has(day, ['u']));
  // One pattern for every day costs nothing until a statement runs; a list is expanded whenever it is bound.
  const isPlain =
    !hasScheme(url) && unchanged.length === days.length && !days.some((day) => day.isMixed || day.isCovered);
  const find = hasScheme(url) ? namesOf : patternsOf;
  const select = (parts: readonly LiveDay[], kinds: readonly FileKind[]) =>
    SCHEMA_VERSIONS.flatMap((version) => {
      const present = parts.filter((day) => has(day, kinds, version));
      const patterns =
        isPlain && present.length > 0 && !kinds.includes('c')
          ? [pattern(ANY_DAY, kinds, version)]
          : present.flatMap((day) => find(day, kinds, version));
      return patterns.length === 0 ? [] : [versionSelect(url, environment, version, patterns)];
    });
  return {
    unchanged: [...select(unchanged, ['r', 'x']), ...select(unchanged, ['c'])],
    changed: select(changed, ['r', 'x', 'c']),
    updates: select(changed, ['u']),
    shared: select(shared, ['r', 'x', 'u', 'c']),
  };
}

/** Finds the folders of days, and not a copy of one beside it. */
const ANY_DAY = 'dt=????-??-??';

function has({ groups }: LiveDay, kinds: readonly FileKind[], version?: number): boolean {
  return groups.some(
    (group) => kinds.includes(group.kind) && (version === undefined || group.version === version),
  );
}

/** The day's live files of some kinds and a version. In a storage a pattern is one more listing, so none is used. */
function namesOf(day: LiveDay, kinds: readonly FileKind[], version: number): string[] {
  const groups = day.groups.filter((group) => group.version === version && kinds.includes(group.kind));
  return groups.flatMap(({ names }) => [...names].sort().map((name) => `dt=${day.day}/${name}`));
}

/** What finds the day's live files of some kinds and a version, and no others. */
function patternsOf(day: LiveDay, kinds: readonly FileKind[], version: number): string[] {
  const folder = `dt=${day.day}`;
  const groups = day.groups.filter((group) => group.version === version && kinds.includes(group.kind));
  // Updates are read twice by one statement, which has to find the same files both times. Beside compacted exports a
  // pattern would also find the file of an exporter that was frozen and publishes it once more.
  const isNamed = ({ kind }: { kind: FileKind }) =>
    day.isMixed || kind === 'c' || kind === 'u' || (kind === 'x' && day.isCovered);
  const named = groups
    .filter(isNamed)
    .flatMap(({ names }) => [...names].sort().map((name) => `${folder}/${exactly(name)}`));
  const found = groups.filter((group) => !isNamed(group)).map(({ kind }) => kind);
  return found.length === 0 ? named : [pattern(folder, found, version), ...named];
}

/**
 * A pattern that finds the file of this name and no other. What DuckDB finds by a pattern it has looked at, and so
 * trusts the footer that it keeps; a file that is named it opens four times to see whether it has changed (130 days:
 * 24 ms instead of 4). A pattern reads the folder, which may hold thousands of single runs, so those are named.
 */
function exactly(name: string): string {
  return name.startsWith('r-') ? name : `[${name.slice(0, 1)}]${name.slice(1)}`;
}

function pattern(folder: string, kinds: readonly FileKind[], version: number): string {
  return `${folder}/[${kinds.join('')}]-s${version}-*.parquet`;
}

/**
 * A column's value in a file, in the type of the views. Files hold it in that type already, except for JSON, and a
 * cast that changes nothing still takes its time whenever a view is bound.
 */
function columnSelect(environment: string, version: number, column: (typeof LAKE_COLUMNS)[number]): string {
  if (column.name === 'env') return `${quote(environment)} AS env`;
  const value = columnValue(version, column.name);
  if (value === column.name && fileType(column) === duckdbType(column)) return value;
  return `CAST(${value} AS ${duckdbType(column)}) AS ${column.name}`;
}

/**
 * Nothing is merged between files, so binding reads one footer. The environment is a constant, so that a filter on
 * it drops the whole select; the day comes from the file's name, by which DuckDB leaves files out before opening any.
 */
function versionSelect(url: string, environment: string, version: number, patterns: string[]): string {
  const root = `${url}/${environment}/`;
  const columns = LAKE_COLUMNS.map((column) => columnSelect(environment, version, column));
  const start = [...root].length + 'dt='.length + 1;
  const day = `CAST(substring(filename, ${start}, ${'YYYY-MM-DD'.length}) AS ${DAY_COLUMN.type})`;
  const folder = hasScheme(url) ? root : escapeGlob(root);
  const files = listOf(patterns.map((name) => `${folder}${name}`));
  const source = `read_parquet(${files}, hive_partitioning = false, union_by_name = false, filename = true)`;
  // Of the bare column, min() of a single file ends in an internal error of DuckDB, which looks for its statistics.
  const name = `filename || '' AS filename`;
  return `SELECT ${columns.join(', ')}, ${day} AS ${DAY_COLUMN.name}, ${version} AS schema_version, ${name} FROM ${source}`;
}

/** Paths as a list. Binding one text that is split takes a fifth of the time of binding each path. */
function listOf(paths: readonly string[]): string {
  const between = BETWEEN_PATHS.find((text) => !paths.some((path) => path.includes(text)));
  if (between !== undefined && paths.length > 1)
    return `string_split(${quote(paths.join(between))}, ${quote(between)})`;
  return `[${paths.map(quote).join(', ')}]`;
}

/** No path of this machine holds two slashes, and none of a storage a vertical bar, unless its prefix has one. */
const BETWEEN_PATHS = ['//', '|'];

function union(selects: readonly string[]): string {
  return selects.length === 0 ? emptySelect() : selects.join('\nUNION ALL BY NAME\n');
}

function emptySelect(): string {
  const columns = [
    ...LAKE_COLUMNS.map((column) => ({ name: column.name, type: duckdbType(column) })),
    DAY_COLUMN,
    { name: 'schema_version', type: 'INTEGER' },
    { name: 'filename', type: 'VARCHAR' },
  ];
  return `SELECT ${columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${name}`).join(', ')} WHERE false`;
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
