import { changesInUse, isLockedBefore, type Rule } from '../rule.js';

export const updateWithoutWhere: Rule = {
  name: 'update-without-where',
  finds: 'UPDATE or DELETE of every row',
  danger: 'It locks and copies all rows in one transaction: writers wait, and the table may double in size.',
  safe: 'Change rows in batches by key, each in a transaction of its own, outside the migration.',
  *check(statement, file) {
    for (const { table, isEveryRow, at } of changesInUse(statement, file)) {
      if (isEveryRow) yield { subject: table, at };
    }
  },
};

export const backfillUnderLock: Rule = {
  name: 'backfill-under-lock',
  finds: 'rows changed in the transaction that altered their table',
  danger: 'The lock of the ALTER TABLE stays until all rows are changed: nobody reads or writes meanwhile.',
  safe: 'Backfill in a migration of its own, or in batches from the code, after the ALTER TABLE was committed.',
  *check(statement, file) {
    for (const { table, at } of changesInUse(statement, file)) {
      if (isLockedBefore(table, statement, file)) yield { subject: table, at };
    }
  },
};
