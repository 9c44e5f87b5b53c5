import type { ColumnDef, Constraint } from 'libpg-query';
import type { Statement } from '../../statements.js';
import { builtInType, find, pick, pickAll, placeOf, tableName, words } from '../../tree.js';
import { alterationsInUse, type Hit, isInUse, type LintedFile, type Rule } from '../rule.js';

/** Functions that give a whole statement one value, so that a default needs no new copy of the table. */
export const STEADY_FUNCTIONS: ReadonlySet<string> = new Set(
  `array_fill btrim concat concat_ws current_database current_setting date_trunc decode encode jsonb_build_array
  jsonb_build_object lower make_date make_interval make_timestamptz md5 now pg_current_xact_id sha256
  statement_timestamp timezone to_jsonb to_timestamp transaction_timestamp upper`.split(/\s+/),
);

export const addColumnNotNullWithoutDefault: Rule = {
  name: 'add-column-not-null-without-default',
  finds: 'a new NOT NULL column without a default',
  danger: 'It fails as soon as the table holds a row, and until the code is updated every insert fails.',
  safe: 'Add it with a constant default, or nullable; then backfill, then set NOT NULL in a later migration.',
  *check(statement, file) {
    for (const { column, table, constraints } of addedColumns(statement, file)) {
      if (!constraints.some(({ contype }) => contype === 'CONSTR_NOTNULL' || contype === 'CONSTR_PRIMARY'))
        continue;
      if (constraints.some(({ contype }) => FILLED.has(contype ?? '')) || isSerial(column)) continue;
      yield hit(table, column);
    }
  },
};

export const addColumnVolatileDefault: Rule = {
  name: 'add-column-volatile-default',
  finds: 'a new column with a value of its own in every row',
  danger: 'It writes the whole table anew under ACCESS EXCLUSIVE: nobody reads or writes until it is done.',
  safe: 'Add the column without a default, set the default in a second statement, backfill in batches.',
  *check(statement, file) {
    for (const { column, table, constraints } of addedColumns(statement, file)) {
      if (constraints.some(isVolatile) || isSerial(column)) yield hit(table, column);
    }
  },
};

export const alterColumnType: Rule = {
  name: 'alter-column-type',
  finds: 'a changed column type',
  danger:
    'Most changes write the table and its indexes anew under ACCESS EXCLUSIVE, and all block while they run.',
  safe: 'Add a column of the new type, write both, backfill in batches, move the readers, drop the old one later.',
  *check(statement, file) {
    for (const { table, command } of alterationsInUse(statement, file)) {
      if (command.subtype !== 'AT_AlterColumnType') continue;
      yield { subject: `${table}.${command.name}`, at: placeOf(command) };
    }
  },
};

export const setNotNullWithoutCheck: Rule = {
  name: 'set-not-null-without-check',
  finds: 'SET NOT NULL without a validated CHECK before it',
  danger: 'It reads the whole table under ACCESS EXCLUSIVE: nobody reads or writes until it is done.',
  safe:
    'Add CHECK (column IS NOT NULL) NOT VALID, in a later migration VALIDATE CONSTRAINT and then SET NOT NULL, ' +
    'which then has nothing to read; drop the CHECK.',
  *check(statement, file) {
    if (hasValidated(statement, file)) return;
    for (const { table, command } of alterationsInUse(statement, file)) {
      if (command.subtype === 'AT_SetNotNull') yield { subject: `${table}.${command.name}` };
    }
  },
};

export const dropColumn: Rule = {
  name: 'drop-column',
  finds: 'a dropped column',
  danger: 'Its data is gone, and code that still names it fails from that moment on.',
  safe: 'Release code that does not use it first; then drop it in a migration with a waiver that says so.',
  *check(statement, file) {
    for (const { table, command } of alterationsInUse(statement, file)) {
      if (command.subtype === 'AT_DropColumn') yield { subject: `${table}.${command.name}` };
    }
  },
};

export const renameColumn: Rule = {
  name: 'rename-column',
  finds: 'a renamed column',
  danger: 'Running code still asks for the old name and fails until it is replaced everywhere.',
  safe: 'Add a column of the new name, write both, backfill, move the readers, drop the old one later.',
  *check({ ast }, file) {
    const rename = pick(ast, 'RenameStmt');
    if (rename?.renameType !== 'OBJECT_COLUMN' || !isInUse(rename.relation, file)) return;
    yield { subject: `${tableName(rename.relation)}.${rename.subname}` };
  },
};

const FILLED: ReadonlySet<string> = new Set(['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED']);

function* addedColumns(statement: Statement, file: LintedFile) {
  for (const { table, command } of alterationsInUse(statement, file)) {
    const column = command.subtype === 'AT_AddColumn' ? pick(command.def, 'ColumnDef') : undefined;
    if (column !== undefined) yield { table, column, constraints: pickAll(column.constraints, 'Constraint') };
  }
}

function hit(table: string, column: ColumnDef): Hit {
  return { subject: `${table}.${column.colname}`, at: column.location };
}

function isVolatile({ contype, raw_expr: value }: Constraint): boolean {
  if (contype === 'CONSTR_IDENTITY' || contype === 'CONSTR_GENERATED') return true;
  if (contype !== 'CONSTR_DEFAULT') return false;
  return find(value, 'FuncCall').some(({ funcname }) => !STEADY_FUNCTIONS.has(words(funcname).at(-1) ?? ''));
}

export function isSerial({ typeName }: ColumnDef): boolean {
  return /^(small|big)?serial[248]?$/.test(builtInType(typeName) ?? '');
}

function hasValidated(statement: Statement, file: LintedFile): boolean {
  const table = pick(statement.ast, 'AlterTableStmt')?.relation;
  return file.statements
    .slice(0, file.statements.indexOf(statement))
    .flatMap((earlier) => alterationsInUse(earlier, file))
    .some(
      (earlier) =>
        table !== undefined &&
        earlier.table === tableName(table) &&
        earlier.command.subtype === 'AT_ValidateConstraint',
    );
}
