import { HxError } from '../../base/errors.js';
import type { Migration } from './files.js';
import type { AppliedMigration } from './ledger.js';

/** What is applied and what is to be. */
export interface Plan {
  readonly applied: readonly AppliedMigration[];
  readonly pending: readonly Migration[];
}

/**
 * Compares the files with what a database remembers: pending is the difference of the two sets.
 * @param to the last number to apply; all when undefined.
 * @throws HxError `conflict` for an applied file that was edited or is gone, and for a pending one that comes
 * before an applied one; `usage` for a `to` that no file has.
 */
export function makePlan(
  files: readonly Migration[],
  applied: readonly AppliedMigration[],
  to?: number,
): Plan {
  const byNumber = new Map(files.map((file) => [file.number, file]));
  for (const { number, name, hash } of applied) {
    const file = byNumber.get(number);
    if (file?.name !== name) throw missingFile(name, file);
    if (file.hash !== hash) throw editedFile(name);
  }
  if (to !== undefined && !byNumber.has(to)) {
    throw new HxError('usage', `There is no migration ${to}.`, {
      hint: `The last is ${files.at(-1)?.name ?? 'none'}.`,
    });
  }
  const done = new Set(applied.map(({ number }) => number));
  const pending = files.filter(({ number }) => !done.has(number) && (to === undefined || number <= to));
  const last = applied.at(-1);
  const early = pending.find(({ number }) => last !== undefined && number < last.number);
  if (early !== undefined && last !== undefined) throw outOfOrder(early, last);
  return { applied, pending };
}

function editedFile(name: string): HxError {
  return new HxError('conflict', `${name} was edited after it was applied.`, {
    hint: `Restore it (git checkout -- migrations/${name}) and put the change into a new migration.`,
  });
}

function missingFile(name: string, found: Migration | undefined): HxError {
  const instead = found === undefined ? 'there is no such file' : `the file of that number is ${found.name}`;
  return new HxError('conflict', `${name} was applied to this database, but ${instead}.`, {
    hint: 'Update hx to the version that has it, or restore the file.',
  });
}

function outOfOrder(early: Migration, last: AppliedMigration): HxError {
  return new HxError('conflict', `${early.name} comes before ${last.name}, which was applied already.`, {
    hint: 'Give it the next free number, then run hx migrate sum --rewrite.',
  });
}
