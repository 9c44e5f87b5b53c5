import type { AlterTableCmd, RangeVar } from 'libpg-query';
import type { MigrationMode } from '../header.js';
import type { Statement } from '../statements.js';
import { find, pick, pickAll, tableName } from '../tree.js';
import type { RuleName } from './names.js';

/** One thing that a statement should not do to a database in use. */
export interface Rule {
  readonly name: RuleName;
  /** What it finds, as a noun. */
  readonly finds: string;
  /** What happens then: which lock, for how long, or what breaks. */
  readonly danger: string;
  readonly safe: string;
  /** False for what cannot be right in any migration. */
  readonly isWaivable?: false;
  check(statement: Statement, file: LintedFile): Iterable<Hit>;
}

/** Where a rule applies. */
export interface Hit {
  /** The table, column or words at fault. */
  readonly subject: string;
  /** Its place in bytes, where it is more exact than its statement's. */
  readonly at?: number | undefined;
}

/** A file as the rules see it. */
export interface LintedFile {
  readonly mode: MigrationMode;
  readonly statements: readonly Statement[];
  /** Names of the tables that the file itself makes: nobody reads or writes them yet. */
  readonly made: ReadonlySet<string>;
}

export function describeFile(mode: MigrationMode, statements: readonly Statement[]): LintedFile {
  return { mode, statements, made: new Set(statements.flatMap(tablesMade)) };
}

function tablesMade({ ast }: Statement): string[] {
  const create = pick(ast, 'CreateStmt');
  const createAs = pick(ast, 'CreateTableAsStmt');
  const made = [
    // IF NOT EXISTS may meet a table that is in use.
    create?.if_not_exists ? undefined : create?.relation,
    createAs?.if_not_exists ? undefined : createAs?.into?.rel,
    pick(ast, 'SelectStmt')?.intoClause?.rel,
  ];
  return made.flatMap((relation) => (relation === undefined ? [] : tableName(relation)));
}

/** Whether a table was there before this migration, so that others may be using it. */
export function isInUse(relation: RangeVar | undefined, { made }: LintedFile): relation is RangeVar {
  return relation !== undefined && !made.has(tableName(relation));
}

/** One action of an ALTER TABLE. */
export interface Alteration {
  readonly table: string;
  readonly command: AlterTableCmd;
}

/** The actions of an ALTER TABLE on a table that others may be using. */
export function alterationsInUse(statement: Statement, file: LintedFile): Alteration[] {
  const alter = pick(statement.ast, 'AlterTableStmt');
  if (alter?.objtype !== 'OBJECT_TABLE' || !isInUse(alter.relation, file)) return [];
  const table = tableName(alter.relation);
  return pickAll(alter.cmds, 'AlterTableCmd').map((command) => ({ table, command }));
}

/** Whether an earlier statement, or this one itself, took the strongest lock on a table in this transaction. */
export function isLockedBefore(table: string, statement: Statement, file: LintedFile): boolean {
  if (file.mode === 'steps') return false;
  const until = file.statements.indexOf(statement) + 1;
  return file.statements
    .slice(0, until)
    .flatMap((earlier) => alterationsInUse(earlier, file))
    .some(({ table: altered, command }) => altered === table && command.subtype !== 'AT_ValidateConstraint');
}

/** What changes or removes rows of tables in use, in the order of the text. Bodies of routines do not run now. */
export function changesInUse({ ast }: Statement, file: LintedFile) {
  if ('CreateFunctionStmt' in ast || 'RuleStmt' in ast) return [];
  const changes = [...find(ast, 'UpdateStmt'), ...find(ast, 'DeleteStmt')];
  return changes.flatMap(({ relation, whereClause }) =>
    isInUse(relation, file)
      ? { table: tableName(relation), isEveryRow: whereClause === undefined, at: relation.location }
      : [],
  );
}
