import type { Sql } from 'postgres';
import { HxError } from '../../base/errors.js';
import type { Migration } from './files.js';
import { readFingerprint } from './fingerprint/read.js';
import { type LedgerEntry, recordApplied, recordEvent } from './ledger.js';
import { checkLockHeld } from './lock.js';
import { examineStep, needsNoTransaction, type Outcome } from './postcondition.js';
import { checkAfter } from './promotion.js';
import { entryFor, type Run, TABLE_LOCK_TIMEOUT_MS } from './run.js';
import { parseStatements, type Statement, semanticHash } from './statements.js';
import {
  beginStep,
  elapsedOf,
  finishStep,
  forgetStep,
  type RecordedStep,
  readOpenSteps,
} from './step-ledger.js';
import { declareMigration, forgetMigration, runText } from './transaction.js';

/** A statement of a migration in steps that Postgres refused. */
export class StepError extends Error {
  override readonly cause: Error;
  /** Postgres's code. */
  readonly code: unknown;
  readonly statement: Statement;
  /** What to do next. */
  readonly hint: string;

  constructor(step: number, statement: Statement, cause: Error) {
    super(cause.message);
    this.cause = cause;
    this.code = 'code' in cause ? cause.code : undefined;
    this.statement = statement;
    const before =
      step === 1 ? 'No step before it was applied.' : `The steps before it, 1 to ${step - 1}, stay.`;
    this.hint = `${before} Correct step ${step} and run hx migrate again, which goes on from there.`;
  }
}

interface Step {
  readonly number: number;
  readonly name: string;
  /** From 1. */
  readonly step: number;
  readonly statement: Statement;
  readonly statementHash: string;
}

/**
 * Applies a migration one statement at a time, each written down before it runs and once it has, and its ledger row
 * at the end. Goes on where an earlier run ended.
 * @throws HxError `conflict` for a step that was edited after it ran or whose outcome nobody can tell, StepError for
 * what Postgres refuses.
 */
export async function applyInSteps(run: Run, migration: Migration): Promise<LedgerEntry> {
  const { sql, target, emit } = run.migrator;
  const { name, number, lockTimeoutMs = TABLE_LOCK_TIMEOUT_MS } = migration;
  const steps = await stepsOf(migration);
  const recorded = await readOpenSteps(sql);
  refuseEdited(steps, recorded, migration);
  const finished = recorded.filter(({ finishedAt }) => finishedAt !== null).length;
  if (recorded.length > 0) {
    const message = `${name}: going on after step ${finished} of ${steps.length}.`;
    emit({ type: 'note', message });
    await recordEvent(sql, 'resumed', number, message);
  }
  const before = recorded[0]?.fingerprintBefore ?? run.fingerprint;
  await declareMigration(sql, target.environment, lockTimeoutMs, 'session');
  try {
    for (const step of steps) await applyStep(run, step, recorded[step.step - 1]);
  } finally {
    // Only a lost connection makes this fail, and then there is no session to tidy up.
    await forgetMigration(sql).catch(() => undefined);
  }
  return finish({ ...run, fingerprint: before }, run, migration);
}

async function finish(begun: Run, run: Run, migration: Migration): Promise<LedgerEntry> {
  const { sql, target, backend } = run.migrator;
  const { name, number } = migration;
  const after = await readFingerprint(sql, run.seen);
  checkAfter(run.proof, migration, after);
  const entry = entryFor(begun, migration, after, await elapsedOf(sql, number));
  await sql.begin(async (transaction) => {
    await checkLockHeld(transaction, backend);
    await declareMigration(transaction, target.environment, TABLE_LOCK_TIMEOUT_MS, 'transaction');
    await recordApplied(transaction, entry);
    await recordEvent(transaction, 'applied', number, name);
  });
  run.fingerprint = entry.fingerprintAfter;
  return entry;
}

async function stepsOf({ number, name, sql }: Migration): Promise<Step[]> {
  const steps: Step[] = [];
  for (const [index, statement] of (await parseStatements(name, sql)).entries()) {
    const statementHash = await semanticHash(name, statement.text);
    steps.push({ number, name, step: index + 1, statement, statementHash });
  }
  return steps;
}

/** A step that was not finished may be another one now: nothing says that it could have worked. */
function refuseEdited(steps: readonly Step[], recorded: readonly RecordedStep[], { name }: Migration): void {
  for (const { step, statementHash, finishedAt } of recorded) {
    const now = steps[step - 1];
    if (now?.statementHash === statementHash || (now !== undefined && finishedAt === null)) continue;
    throw editedStep(name, step);
  }
}

async function applyStep(run: Run, step: Step, recorded: RecordedStep | undefined): Promise<void> {
  const { sql, backend, signal } = run.migrator;
  signal.throwIfAborted();
  await checkLockHeld(sql, backend);
  if (recorded !== undefined && (await settleStep(run, step, recorded)) === 'done') return;
  const { number, step: ordinal, statement, statementHash } = step;
  const { hash } = await readFingerprint(sql, run.seen);
  const row = { number, step: ordinal, statement: statement.text, statementHash, fingerprintBefore: hash };
  try {
    if (needsNoTransaction(statement.ast)) {
      await beginStep(sql, row);
      await runText(sql, statement.text, signal);
      await finishStep(sql, number, ordinal);
      return;
    }
    await sql.begin(async (transaction) => {
      await beginStep(transaction, row);
      await runText(transaction, statement.text, signal);
      await finishStep(transaction, number, ordinal);
    });
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'PostgresError' || isFatal(error)) throw error;
    throw new StepError(ordinal, statement, error);
  }
}

/** A fatal answer is the server's last: it says nothing about the statement. */
function isFatal(error: Error): boolean {
  return 'severity' in error && (error.severity === 'FATAL' || error.severity === 'PANIC');
}

/** Settles a step that was begun before. */
async function settleStep(run: Run, step: Step, recorded: RecordedStep): Promise<'done' | 'again'> {
  if (recorded.finishedAt !== null) return 'done';
  const { sql, emit } = run.migrator;
  const { name, step: ordinal, statementHash } = step;
  const note = (message: string) => emit({ type: 'note', message: `${name}, step ${ordinal}: ${message}` });
  const outcome = await settle(sql, name, recorded, note);
  if (outcome === 'undecided') throw undecided(name, recorded, step.statement.line);
  if (outcome === 'done' && statementHash !== recorded.statementHash) throw editedStep(name, ordinal);
  return outcome;
}

/** Finds out what became of a step that was begun and not finished, and writes that down unless nobody can tell. */
export async function settle(
  sql: Sql,
  name: string,
  recorded: RecordedStep,
  note: (message: string) => void,
): Promise<Outcome> {
  const [ran] = await parseStatements(name, recorded.statement);
  const outcome = ran === undefined ? 'undecided' : await examineStep(sql, ran.ast, recorded, note);
  if (outcome === 'done') await finishStep(sql, recorded.number, recorded.step);
  if (outcome === 'again') await forgetStep(sql, recorded.number, recorded.step);
  return outcome;
}

function editedStep(name: string, step: number): HxError {
  return new HxError('conflict', `Step ${step} of ${name} was edited or taken out after it ran.`, {
    hint: 'Restore it as it was and put the change into a new migration.',
  });
}

function undecided(name: string, { step }: RecordedStep, line: number): HxError {
  return new HxError(
    'conflict',
    `Step ${step} of ${name} (line ${line}) was begun by a run that ended before it, and nothing tells what became of it.`,
    {
      hint: 'Look at the database, then run hx migrate repair --step done if it did its work, or --step again if not.',
    },
  );
}
