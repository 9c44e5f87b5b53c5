import type { Constraint, ConstrType } from 'libpg-query';
import type { Statement } from '../../statements.js';
import { pick, pickAll } from '../../tree.js';
import { alterationsInUse, isLockedBefore, type LintedFile, type Rule } from '../rule.js';

export const addCheckWithoutNotValid: Rule = {
  name: 'add-check-without-not-valid',
  finds: 'a CHECK that is tested against all rows at once',
  danger: 'It reads the whole table under ACCESS EXCLUSIVE: nobody reads or writes until it is done.',
  safe: 'Add it NOT VALID, then VALIDATE CONSTRAINT in a migration of its own, which lets reads and writes through.',
  *check(statement, file) {
    for (const { constraint, table } of addedConstraints(statement, file, ['CONSTR_CHECK'])) {
      if (!constraint.skip_validation) yield { subject: table, at: constraint.location };
    }
  },
};

export const addForeignKeyWithoutNotValid: Rule = {
  name: 'add-foreign-key-without-not-valid',
  finds: 'a foreign key that is tested against all rows at once',
  danger:
    'It holds SHARE ROW EXCLUSIVE on both tables while it reads them: nobody writes to either until it is done.',
  safe: 'Add it NOT VALID, then VALIDATE CONSTRAINT in a migration of its own, which lets reads and writes through.',
  *check(statement, file) {
    for (const added of addedConstraints(statement, file, ['CONSTR_FOREIGN'])) {
      // A new column that is null everywhere has nothing to test.
      if (added.constraint.skip_validation || (added.ofColumn && !added.hasDefault)) continue;
      yield { subject: added.table, at: added.constraint.location };
    }
  },
};

export const addIndexConstraint: Rule = {
  name: 'add-index-constraint',
  finds: 'a UNIQUE or PRIMARY KEY that builds its own index',
  danger: 'It builds the index under ACCESS EXCLUSIVE: nobody reads or writes until it is done.',
  safe: 'CREATE UNIQUE INDEX CONCURRENTLY in a mode=steps migration, then ADD CONSTRAINT ... USING INDEX.',
  *check(statement, file) {
    const kinds = ['CONSTR_UNIQUE', 'CONSTR_PRIMARY'] as const;
    for (const { constraint, table } of addedConstraints(statement, file, kinds)) {
      if (constraint.indexname === undefined) yield { subject: table, at: constraint.location };
    }
  },
};

export const addExclusionConstraint: Rule = {
  name: 'add-exclusion-constraint',
  finds: 'an EXCLUDE constraint on a table in use',
  danger: 'It builds its index under ACCESS EXCLUSIVE, and Postgres has no concurrent way for this kind.',
  safe: 'Make a new table that has it, write to both, backfill, and move over; or waive it for a small table.',
  *check(statement, file) {
    for (const { constraint, table } of addedConstraints(statement, file, ['CONSTR_EXCLUSION'])) {
      yield { subject: table, at: constraint.location };
    }
  },
};

export const validateUnderLock: Rule = {
  name: 'validate-under-lock',
  finds: 'VALIDATE CONSTRAINT after another ALTER TABLE of the same transaction',
  danger: 'The lock of that ALTER TABLE stays while all rows are read, which is what NOT VALID was to avoid.',
  safe: 'Validate in a migration of its own, or choose mode=steps, where every statement commits by itself.',
  *check(statement, file) {
    for (const { table, command } of alterationsInUse(statement, file)) {
      if (command.subtype !== 'AT_ValidateConstraint' || !isLockedBefore(table, statement, file)) continue;
      yield { subject: `${table}, ${command.name}` };
    }
  },
};

interface AddedConstraint {
  readonly table: string;
  readonly constraint: Constraint;
  /** Whether it came with a new column, and whether that one has a value in the rows that are there. */
  readonly ofColumn: boolean;
  readonly hasDefault: boolean;
}

function* addedConstraints(
  statement: Statement,
  file: LintedFile,
  kinds: readonly ConstrType[],
): Generator<AddedConstraint> {
  for (const { table, command } of alterationsInUse(statement, file)) {
    const column = command.subtype === 'AT_AddColumn' ? pick(command.def, 'ColumnDef') : undefined;
    const ofColumn = column !== undefined;
    const alone = command.subtype === 'AT_AddConstraint' ? pick(command.def, 'Constraint') : undefined;
    const constraints = alone === undefined ? pickAll(column?.constraints, 'Constraint') : [alone];
    const hasDefault = constraints.some(({ contype }) => contype === 'CONSTR_DEFAULT');
    for (const constraint of constraints) {
      if (constraint.contype === undefined || !kinds.includes(constraint.contype)) continue;
      yield { table, constraint, ofColumn, hasDefault };
    }
  }
}
