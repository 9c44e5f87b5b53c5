import type { ColumnDef } from 'libpg-query';
import type { Statement } from '../../statements.js';
import { builtInType, pick, pickAll, tableName, words } from '../../tree.js';
import type { Rule } from '../rule.js';
import { isSerial } from './columns.js';

/** Columns of new tables and new columns alike: a type is hard to change once it holds data. */
function typeRule(
  { name, finds, danger, safe }: Omit<Rule, 'check'>,
  applies: (column: ColumnDef) => boolean,
): Rule {
  return {
    name,
    finds,
    danger,
    safe,
    *check(statement) {
      for (const { table, column, name: columnName } of columnsOf(statement)) {
        if (applies(column)) yield { subject: `${table}.${columnName}`, at: column.location };
      }
    },
  };
}

export const jsonColumn = typeRule(
  {
    name: 'json-column',
    finds: 'a column of type json',
    danger: 'json is kept as text: it cannot be compared or indexed, and is parsed anew on every access.',
    safe: 'Use jsonb.',
  },
  ({ typeName }) => builtInType(typeName) === 'json',
);

export const serialColumn = typeRule(
  {
    name: 'serial-column',
    finds: 'a serial column',
    danger:
      'Its sequence has owner and rights of its own, and any insert may set a number that is used later.',
    safe: 'Use bigint generated always as identity.',
  },
  isSerial,
);

export const timestampWithoutTimeZone = typeRule(
  {
    name: 'timestamp-without-time-zone',
    finds: 'a timestamp without time zone',
    danger: 'Which moment it means depends on the setting of the session that wrote it.',
    safe: 'Use timestamptz.',
  },
  ({ typeName }) => builtInType(typeName) === 'timestamp',
);

export const integerPrimaryKey: Rule = {
  name: 'integer-primary-key',
  finds: 'a primary key of 16 or 32 bits',
  danger: 'It runs out after 2 147 483 647 rows, and widening it then means writing the table anew.',
  safe: 'Use bigint generated always as identity, or uuid.',
  *check(statement) {
    const keys = pickAll(pick(statement.ast, 'CreateStmt')?.tableElts, 'Constraint')
      .filter(({ contype }) => contype === 'CONSTR_PRIMARY')
      .map(({ keys: columns }) => words(columns));
    // In a key of several columns none has to tell all rows apart.
    const single = new Set(keys.flatMap((columns) => (columns.length === 1 ? columns : [])));
    for (const { table, column, name } of columnsOf(statement)) {
      const isKey =
        single.has(name) ||
        pickAll(column.constraints, 'Constraint').some(({ contype }) => contype === 'CONSTR_PRIMARY');
      if (isKey && SMALL.test(builtInType(column.typeName) ?? '')) {
        yield { subject: `${table}.${name}`, at: column.location };
      }
    }
  },
};

const SMALL = /^(int[24]|(small)?serial[24]?)$/;

function* columnsOf({ ast }: Statement): Generator<{ table: string; column: ColumnDef; name: string }> {
  const create = pick(ast, 'CreateStmt');
  for (const column of pickAll(create?.tableElts, 'ColumnDef')) {
    yield { table: create?.relation ? tableName(create.relation) : '', column, name: column.colname ?? '' };
  }
  const alter = pick(ast, 'AlterTableStmt');
  for (const { def, name } of pickAll(alter?.cmds, 'AlterTableCmd')) {
    const column = pick(def, 'ColumnDef');
    const table = alter?.relation ? tableName(alter.relation) : '';
    if (column !== undefined) yield { table, column, name: column.colname ?? name ?? '' };
  }
}
