import { pick, pickAll, shortName, tableName, words } from '../../tree.js';
import { alterationsInUse, isInUse, type Rule } from '../rule.js';

const DROPPED: ReadonlySet<string> = new Set([
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_FOREIGN_TABLE',
  'OBJECT_SCHEMA',
]);
const REWRITES: ReadonlySet<string> = new Set([
  'AT_SetLogged',
  'AT_SetUnLogged',
  'AT_SetAccessMethod',
  'AT_SetTableSpace',
]);

export const dropTable: Rule = {
  name: 'drop-table',
  finds: 'a dropped table, view or schema',
  danger: 'Its data is gone, and code that still names it fails from that moment on.',
  safe: 'Release code that does not use it first, keep a copy; then drop it with a waiver that says so.',
  *check({ ast }, { made }) {
    const drop = pick(ast, 'DropStmt');
    if (drop?.removeType === undefined || !DROPPED.has(drop.removeType)) return;
    for (const object of drop.objects ?? []) {
      const name = shortName(words(pick(object, 'List')?.items ?? [object]));
      if (!made.has(name)) yield { subject: name };
    }
  },
};

export const dropCascade: Rule = {
  name: 'drop-cascade',
  finds: 'CASCADE',
  danger:
    'It also removes whatever depends on the object, which may be more in one environment than in another.',
  safe: 'Drop what depends on it by name, in statements of their own, and leave CASCADE out.',
  *check({ ast, text }) {
    const isCascade =
      pick(ast, 'DropStmt')?.behavior === 'DROP_CASCADE' ||
      pick(ast, 'TruncateStmt')?.behavior === 'DROP_CASCADE' ||
      pickAll(pick(ast, 'AlterTableStmt')?.cmds, 'AlterTableCmd').some(
        ({ behavior }) => behavior === 'DROP_CASCADE',
      );
    if (isCascade) yield { subject: text.replace(/\s+/g, ' ').slice(0, 60) };
  },
};

export const renameTable: Rule = {
  name: 'rename-table',
  finds: 'a table that is renamed or moved to another schema',
  danger: 'Running code still asks for the old name and fails until it is replaced everywhere.',
  safe: 'Rename it and make a view of the old name in the same migration; drop the view in a later one.',
  *check({ ast }, file) {
    const rename = pick(ast, 'RenameStmt');
    const move = pick(ast, 'AlterObjectSchemaStmt');
    const isTable = rename?.renameType === 'OBJECT_TABLE' || move?.objectType === 'OBJECT_TABLE';
    const relation = (rename ?? move)?.relation;
    if (isTable && isInUse(relation, file)) yield { subject: tableName(relation) };
  },
};

export const rewriteTable: Rule = {
  name: 'rewrite-table',
  finds: 'CLUSTER, VACUUM FULL, or another access method, table space or logging',
  danger: 'It writes the whole table anew under ACCESS EXCLUSIVE: nobody reads or writes until it is done.',
  safe: 'Leave it to autovacuum; where space must come back, copy into a new table in batches and move over.',
  *check(statement, file) {
    const cluster = pick(statement.ast, 'ClusterStmt');
    if (cluster !== undefined) {
      yield { subject: cluster.relation === undefined ? 'all tables' : tableName(cluster.relation) };
    }
    const vacuum = pick(statement.ast, 'VacuumStmt');
    if (pickAll(vacuum?.options, 'DefElem').some(({ defname }) => defname === 'full')) {
      const tables = pickAll(vacuum?.rels, 'VacuumRelation').flatMap(({ relation }) => relation ?? []);
      yield { subject: tables.map(tableName).join(', ') || 'all tables' };
    }
    for (const { table, command } of alterationsInUse(statement, file)) {
      if (REWRITES.has(command.subtype ?? '')) yield { subject: table };
    }
  },
};

export const refreshNotConcurrently: Rule = {
  name: 'refresh-not-concurrently',
  finds: 'REFRESH MATERIALIZED VIEW without CONCURRENTLY',
  danger: 'It holds ACCESS EXCLUSIVE on the view: nobody reads it until it is filled.',
  safe: 'REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index on the view.',
  *check({ ast }, file) {
    const refresh = pick(ast, 'RefreshMatViewStmt');
    if (refresh === undefined || refresh.concurrent || refresh.skipData) return;
    if (isInUse(refresh.relation, file)) yield { subject: tableName(refresh.relation) };
  },
};

export const truncate: Rule = {
  name: 'truncate',
  finds: 'TRUNCATE',
  danger: 'All rows are gone at once, under ACCESS EXCLUSIVE.',
  safe: 'Delete in batches what is not needed any more, outside the migration; or drop the table when it is unused.',
  *check({ ast }, file) {
    for (const relation of pickAll(pick(ast, 'TruncateStmt')?.relations, 'RangeVar')) {
      if (isInUse(relation, file)) yield { subject: tableName(relation), at: relation.location };
    }
  },
};

export const lockTable: Rule = {
  name: 'lock-table',
  finds: 'LOCK TABLE',
  danger: 'The lock is held to the end of the transaction, and whoever needs the table waits.',
  safe: 'Leave it out: each statement takes the weakest lock that it needs.',
  *check({ ast }, file) {
    for (const relation of pickAll(pick(ast, 'LockStmt')?.relations, 'RangeVar')) {
      if (isInUse(relation, file)) yield { subject: tableName(relation), at: relation.location };
    }
  },
};
