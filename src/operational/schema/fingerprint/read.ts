import { readFile } from 'node:fs/promises';
import type { Sql, TransactionSql } from 'postgres';
import { canonicalHash, type JsonValue } from '../../../base/canonical.js';
import { packagePath } from '../../../base/paths.js';
import type { Queryable } from '../../session.js';
import { type CatalogRow, type Definition, normalise } from './normalise.js';

/** One object of a schema. Its definition holds everything that a migration could have said about it. */
export interface SchemaObject {
  /** What it is: `table`, `column`, `index`, ... */
  readonly kind: string;
  /** Its name with its schema, unless that is `public`; unique among its kind. */
  readonly name: string;
  /** The table, view or type without which it could not be; null for those that stand alone. */
  readonly partOf: string | null;
  readonly definition: Definition;
  /** SHA-256 of kind, name and definition, hex. */
  readonly hash: string;
}

/** Objects by what the server said of them: what one migration leaves alone need not be hashed again after the next. */
export type SeenObjects = Map<string, SchemaObject>;

/** The schema of a database, apart from its data. Equal hashes mean equal schemas. */
export interface Fingerprint {
  /** SHA-256 of all objects, hex. */
  readonly hash: string;
  /** Sorted by kind and name, in code unit order. */
  readonly objects: readonly SchemaObject[];
}

type SaidRow = Omit<CatalogRow, 'definition'> & { readonly definition: string };

const PARTS = ['database', 'relations', 'relation_parts', 'routines', 'types', 'others'];

/** Settings that change how the server writes definitions down; with this search path it writes every schema. */
const WRITING: Readonly<Record<string, string>> = {
  search_path: 'pg_catalog',
  quote_all_identifiers: 'off',
  standard_conforming_strings: 'on',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  lc_monetary: 'C',
  xmloption: 'content',
  jit: 'off',
};

/**
 * Reads the schema of a database: in a transaction as that sees it, otherwise in a read-only snapshot of its own.
 * It is the same on two servers that ran the same migrations, whoever ran them.
 * @param seen what earlier readings of the same run saw; this one adds to it.
 */
export async function readFingerprint(sql: Queryable, seen: SeenObjects = new Map()): Promise<Fingerprint> {
  const rows = isPool(sql)
    ? ((await sql.begin('isolation level repeatable read read only', readRows)) as SaidRow[])
    : await readRows(sql as TransactionSql);
  const objects = rows.map((row) => recall(row, seen)).sort(byKindAndName);
  return { hash: canonicalHash(objects.map(({ hash }) => hash)), objects };
}

function isPool(sql: Queryable): sql is Sql {
  return 'begin' in sql && typeof sql.begin === 'function';
}

async function readRows(sql: TransactionSql): Promise<SaidRow[]> {
  const files = PARTS.map((part) =>
    readFile(packagePath('sql', 'postgres', 'fingerprint', `${part}.sql`), 'utf8'),
  );
  const statements = await Promise.all(files);
  const [before] = await sql<{ settings: Readonly<Record<string, string>> }[]>`
    select jsonb_object_agg(name, current_setting(name)) as settings
    from jsonb_object_keys(${JSON.stringify(WRITING)}::text::jsonb) as name`;
  await setLocally(sql, WRITING);
  // Several statements in one message: one round trip, and one result for each.
  const results: unknown = await sql.unsafe(statements.map(asText).join(';\n'));
  await setLocally(sql, before?.settings ?? {});
  return (results as SaidRow[][]).flat();
}

async function setLocally(sql: TransactionSql, settings: Readonly<Record<string, string>>): Promise<void> {
  await sql`
    select set_config(key, value, true) from jsonb_each_text(${JSON.stringify(settings)}::text::jsonb)`;
}

/** The rows of a statement with their definitions as they are written: few of them have to be read again. */
function asText(statement: string): string {
  return `select kind, name, part_of, definition::text from (\n${statement}\n) as part`;
}

function recall(row: SaidRow, seen: SeenObjects): SchemaObject {
  const said = [row.kind, row.name, row.part_of, row.definition].join('\0');
  const known =
    seen.get(said) ??
    toObject({ ...row, definition: JSON.parse(row.definition) as CatalogRow['definition'] });
  seen.set(said, known);
  return known;
}

function toObject(row: CatalogRow): SchemaObject {
  const { kind, name, partOf, definition } = normalise(row);
  const content: JsonValue = { kind, name, definition };
  return { kind, name, partOf, definition, hash: canonicalHash(content) };
}

function byKindAndName(a: SchemaObject, b: SchemaObject): number {
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1;
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}
