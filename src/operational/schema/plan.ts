import { HxError } from '../../base/errors.js';
import type { Migration } from './files.js';
import type { AppliedMigration } from './ledger.js';
import { semanticHash } from './statements.js';

/** What is applied and what is to be. */
export interface Plan {
  readonly applied: readonly AppliedMigration[];
  readonly pending: readonly Migration[];
  /** Names of applied files that were edited since, but say the same to Postgres. */
  readonly commentsChanged: readonly string[];
}

/**
 * Compares the files with what a database remembers: pending is the difference of the two sets.
 * @param to the last number to apply; all when undefined.
 * @throws HxError `conflict` for an applied file whose statements were edited or that is gone, and for a pending one that comes
 * before an applied one; `usage` for a `to` that no file has.
 */
export async function makePlan(
  files: readonly Migration[],
  ledger: readonly AppliedMigration[],
  to?: number,
): Promise<Plan> {
  const byNumber = new Map(files.map((file) => [file.number, file]));
  const commentsChanged: string[] = [];
  for (const { number, name, hash, semanticHash: applied } of ledger) {
    const file = byNumber.get(number);
    if (file?.name !== name) throw missingFile(name, file);
    if (file.hash === hash) continue;
    if (applied === null || applied !== (await semanticHash(name, file.sql))) throw editedFile(name);
    commentsChanged.push(name);
  }
  if (to !== undefined && !byNumber.has(to)) {
    throw new HxError('usage', `There is no migration ${to}.`, {
      hint: `The last is ${files.at(-1)?.name ?? 'none'}.`,
    });
  }
  const done = new Set(ledger.map(({ number }) => number));
  const pending = files.filter(({ number }) => !done.has(number) && (to === undefined || number <= to));
  const last = ledger.at(-1);
  const early = pending.find(({ number }) => last !== undefined && number < last.number);
  if (early !== undefined && last !== undefined) throw outOfOrder(early, last);
  return { applied: ledger, pending, commentsChanged };
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
