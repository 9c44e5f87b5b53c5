import { pick, pickAll, shortName, tableName, words } from '../../tree.js';
import { isInUse, type Rule } from '../rule.js';

export const createIndexNotConcurrently: Rule = {
  name: 'create-index-not-concurrently',
  finds: 'CREATE INDEX on a table in use',
  danger: 'It holds SHARE on the table until the index is built: nobody writes, for minutes on a big table.',
  safe: 'CREATE INDEX CONCURRENTLY, in a migration with -- hx: mode=steps.',
  *check({ ast }, file) {
    const index = pick(ast, 'IndexStmt');
    if (index === undefined || index.concurrent || !isInUse(index.relation, file)) return;
    yield { subject: `${index.idxname ?? 'an index'} on ${tableName(index.relation)}` };
  },
};

export const dropIndexNotConcurrently: Rule = {
  name: 'drop-index-not-concurrently',
  finds: 'DROP INDEX without CONCURRENTLY',
  danger:
    'It takes ACCESS EXCLUSIVE on the table: it waits for every running query, and all others wait behind it.',
  safe: 'DROP INDEX CONCURRENTLY, in a migration with -- hx: mode=steps.',
  *check({ ast }) {
    const drop = pick(ast, 'DropStmt');
    if (drop?.removeType !== 'OBJECT_INDEX' || drop.concurrent) return;
    for (const { items } of pickAll(drop.objects, 'List')) yield { subject: shortName(words(items)) };
  },
};

export const reindexNotConcurrently: Rule = {
  name: 'reindex-not-concurrently',
  finds: 'REINDEX without CONCURRENTLY',
  danger: 'Nobody writes to the table, and nobody reads through the index, until it is built anew.',
  safe: 'REINDEX (CONCURRENTLY), in a migration with -- hx: mode=steps.',
  *check({ ast }) {
    const reindex = pick(ast, 'ReindexStmt');
    if (reindex === undefined) return;
    if (pickAll(reindex.params, 'DefElem').some(({ defname }) => defname === 'concurrently')) return;
    yield { subject: reindex.relation === undefined ? (reindex.name ?? 'all') : tableName(reindex.relation) };
  },
};

export const concurrentlyIfNotExists: Rule = {
  name: 'concurrently-if-not-exists',
  finds: 'CREATE INDEX CONCURRENTLY IF NOT EXISTS',
  danger:
    'An invalid index that an interrupted build left behind counts as existing: it stays and serves nobody.',
  safe: 'Leave out IF NOT EXISTS: hx drops an invalid index itself and builds it again.',
  *check({ ast }) {
    const index = pick(ast, 'IndexStmt');
    if (index?.concurrent && index.if_not_exists) yield { subject: index.idxname ?? 'an index' };
  },
};
