import { readFile } from 'node:fs/promises';
import type { Node, RangeVar } from 'libpg-query';
import type { Sql } from 'postgres';
import { packagePath } from '../../base/paths.js';
import { readFingerprint } from './fingerprint/read.js';
import { readInvalidIndexes } from './invalid-indexes.js';
import { isRefusedInTransaction } from './statements.js';
import type { RecordedStep } from './step-ledger.js';

/**
 * What became of a step whose end nobody saw. `done`: all it does is there. `again`: nothing is, or nothing that
 * running it again would mind. `undecided`: nobody can tell.
 */
export type Outcome = 'done' | 'again' | 'undecided';

/** What runs outside of a transaction, or may end the one it runs in, as the procedure of a CALL may. */
export function needsNoTransaction(ast: Node): boolean {
  return 'CallStmt' in ast || isRefusedInTransaction(ast);
}

/**
 * Finds out what became of a step that was begun and not marked as finished, and clears away what it left half done.
 * @param note tells the user of what was cleared away.
 */
export async function examineStep(
  sql: Sql,
  ast: Node,
  { fingerprintBefore }: RecordedStep,
  note: (message: string) => void,
): Promise<Outcome> {
  if ('IndexStmt' in ast) {
    const { idxname, relation } = ast.IndexStmt;
    if (idxname !== undefined && relation !== undefined) return examineIndex(sql, idxname, relation, note);
  }
  if ('DropStmt' in ast) return examineDrop(sql, ast.DropStmt.objects ?? []);
  if ('ReindexStmt' in ast) return clearReindex(sql, note);
  if ('VacuumStmt' in ast || 'ClusterStmt' in ast || 'AlterSystemStmt' in ast) return 'again';
  const parts = detached(ast);
  if (parts !== undefined) return examineDetach(sql, parts, note);
  // What a procedure did to rows, the schema does not show.
  if (!('IndexStmt' in ast)) return 'undecided';
  return (await readFingerprint(sql)).hash === fingerprintBefore ? 'again' : 'undecided';
}

async function examineIndex(
  sql: Sql,
  index: string,
  table: RangeVar,
  note: (message: string) => void,
): Promise<Outcome> {
  const [found] = await query<{ valid: boolean; name: string }>(sql, 'index_state', [index, nameOf(table)]);
  if (found === undefined) return 'again';
  if (found.valid) return 'done';
  await sql.unsafe(`drop index concurrently ${found.name}`);
  note(`The index ${found.name} was left INVALID; it is dropped and built again.`);
  return 'again';
}

async function examineDrop(sql: Sql, objects: readonly Node[]): Promise<Outcome> {
  const [first] = objects;
  const items = first !== undefined && 'List' in first ? (first.List.items ?? []) : [];
  const parts = items.map((item) => ('String' in item ? (item.String.sval ?? '') : ''));
  const [row] = await sql`select to_regclass(${parts.map(quote).join('.')}) is null as gone`;
  return row?.['gone'] === true ? 'done' : 'again';
}

/** A REINDEX CONCURRENTLY that ended early leaves the old indexes as they were, and copies under names of its own. */
async function clearReindex(sql: Sql, note: (message: string) => void): Promise<Outcome> {
  for (const { name, leftover, builder } of await readInvalidIndexes(sql)) {
    if (!leftover || builder !== null) continue;
    await sql.unsafe(`drop index concurrently ${name}`);
    note(`The index ${name}, which a REINDEX CONCURRENTLY left behind, is dropped.`);
  }
  return 'again';
}

async function examineDetach(
  sql: Sql,
  [parent, partition]: readonly [string, string],
  note: (message: string) => void,
): Promise<Outcome> {
  const [state] = await query<{ pending: boolean }>(sql, 'partition_state', [parent, partition]);
  if (state === undefined) return 'done';
  if (!state.pending) return 'again';
  await sql.unsafe(`alter table ${parent} detach partition ${partition} finalize`);
  note(`Detaching ${partition} was half done; it is finished.`);
  return 'done';
}

/** The table and the partition of ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY. */
function detached(ast: Node): readonly [string, string] | undefined {
  if (!('AlterTableStmt' in ast)) return undefined;
  const { relation, cmds = [] } = ast.AlterTableStmt;
  for (const command of cmds) {
    const definition = 'AlterTableCmd' in command ? command.AlterTableCmd.def : undefined;
    if (definition === undefined || !('PartitionCmd' in definition)) continue;
    const { concurrent, name } = definition.PartitionCmd;
    if (concurrent === true && name !== undefined && relation !== undefined) {
      return [nameOf(relation), nameOf(name)];
    }
  }
  return undefined;
}

function nameOf({ schemaname, relname = '' }: RangeVar): string {
  return schemaname === undefined ? quote(relname) : `${quote(schemaname)}.${quote(relname)}`;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

async function query<Row extends object>(sql: Sql, file: string, values: string[]): Promise<readonly Row[]> {
  const text = await readFile(packagePath('sql', 'postgres', `${file}.sql`), 'utf8');
  return (await sql.unsafe(text, values)) as unknown as readonly Row[];
}
