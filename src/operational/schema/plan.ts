import { canonicalHash } from '../../base/canonical.js';
import type { Environment } from '../../base/environments.js';
import { HxError } from '../../base/errors.js';
import type { Queryable } from '../session.js';
import { type Migration, migrationsFolder, readMigrations } from './files.js';
import { type AppliedMigration, readLedger } from './ledger.js';
import type { MigrateOptions } from './migrator.js';
import { semanticHash } from './statements.js';
import { type RecordedStep, readOpenSteps } from './step-ledger.js';

/** What is applied and what is to be. */
export interface Plan {
  readonly applied: readonly AppliedMigration[];
  readonly pending: readonly Migration[];
  /** Names of applied files that were edited since, but say the same to Postgres. */
  readonly commentsChanged: readonly string[];
  /** Every file, pending or not. */
  readonly files: readonly Migration[];
  /** What was begun of the first pending migration, when that runs in steps. */
  readonly begun: readonly RecordedStep[];
}

/**
 * Reads what a database remembers and compares the files with it.
 * @throws HxError as makePlan, and `conflict` for a file that was begun and is gone.
 */
export async function readPlan(
  sql: Queryable,
  { folder, to }: Pick<MigrateOptions, 'folder' | 'to'>,
): Promise<Plan> {
  const files = readMigrations(folder ?? migrationsFolder());
  const begun = await readOpenSteps(sql);
  const plan = await makePlan(files, await readLedger(sql), to);
  const number = begun[0]?.number;
  if (number !== undefined && files.every((file) => file.number !== number || file.mode !== 'steps')) {
    throw new HxError(
      'conflict',
      `Migration ${number} was begun in steps, but no file in steps has that number now.`,
      {
        hint: 'Restore the file, then run hx migrate again, which carries on with it.',
      },
    );
  }
  return { ...plan, begun };
}

/** So many characters of a plan's hash confirm it. */
export const CONFIRM_LENGTH = 8;

/**
 * Makes sure that whoever migrates production has seen this very plan.
 * @throws HxError `usage` with the plan among its facts.
 */
export function confirmPlan(
  pending: readonly Migration[],
  hash: string,
  environment: Environment,
  { confirm, to }: Pick<MigrateOptions, 'confirm' | 'to'>,
): void {
  if (confirm === undefined && environment !== 'production') return;
  if (confirm !== undefined && confirm.length >= CONFIRM_LENGTH && hash.startsWith(confirm)) return;
  const names = pending.map(({ name }) => name);
  const plan = `Plan ${hash.slice(0, CONFIRM_LENGTH)} applies ${names.join(', ')} to ${environment}.`;
  const what =
    confirm === undefined
      ? 'Migrations change the production database for everybody.'
      : `--confirm ${confirm} does not begin the hash of this plan with ${CONFIRM_LENGTH} characters or more.`;
  throw new HxError('usage', `${what} ${plan}`, {
    hint: `Look at it with hx migrate plan --env ${environment}${to === undefined ? '' : ` --to ${to}`}, then add --confirm ${hash.slice(0, CONFIRM_LENGTH)}.`,
    facts: { plan: hash, pending: names },
  });
}

export interface PlanHashes {
  /** Of the whole plan: numbers, names and statements in order, not comments. Hex. */
  readonly plan: string;
  /** Semantic hash of each migration, by its number. */
  readonly statements: ReadonlyMap<number, string>;
}

/** The hashes of what is to be applied. */
export async function hashPlan(pending: readonly Migration[]): Promise<PlanHashes> {
  const statements = new Map<number, string>();
  const parts: [number, string, string][] = [];
  for (const { number, name, sql } of pending) {
    const hash = await semanticHash(name, sql);
    statements.set(number, hash);
    parts.push([number, name, hash]);
  }
  return { plan: canonicalHash(parts), statements };
}

/**
 * Compares the files with what a database remembers: pending is the difference of the two sets.
 * @param to the last number to apply; all when undefined, none when 0.
 * @throws HxError `conflict` for an applied file whose statements were edited or that is gone, and for a pending
 * one that comes before an applied one; `usage` for a `to` that no file has.
 */
export async function makePlan(
  files: readonly Migration[],
  ledger: readonly AppliedMigration[],
  to?: number,
): Promise<Omit<Plan, 'begun'>> {
  const { problems, ...plan } = await comparePlan(files, ledger, to);
  const [first] = problems;
  if (first !== undefined) throw first;
  return plan;
}

/** As makePlan, but returns every contradiction instead of throwing the first. */
export async function comparePlan(
  files: readonly Migration[],
  ledger: readonly AppliedMigration[],
  to?: number,
): Promise<Omit<Plan, 'begun'> & { readonly problems: readonly HxError[] }> {
  const byNumber = new Map(files.map((file) => [file.number, file]));
  if (to !== undefined && to !== 0 && !byNumber.has(to)) {
    throw new HxError('usage', `There is no migration ${to}.`, {
      hint: `The last is ${files.at(-1)?.name ?? 'none'}.`,
    });
  }
  const problems: HxError[] = [];
  const commentsChanged: string[] = [];
  for (const { number, name, hash, semanticHash: applied } of ledger) {
    const file = byNumber.get(number);
    if (file?.name !== name) problems.push(missingFile(name, file));
    else if (file.hash !== hash) {
      const same = applied === (await semanticHash(name, file.sql));
      if (same) commentsChanged.push(name);
      else problems.push(editedFile(name));
    }
  }
  const done = new Set(ledger.map(({ number }) => number));
  const pending = files.filter(({ number }) => !done.has(number) && (to === undefined || number <= to));
  const last = ledger.at(-1);
  for (const file of pending) {
    if (last !== undefined && file.number < last.number) problems.push(outOfOrder(file, last));
  }
  return { applied: ledger, pending, commentsChanged, files, problems };
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
