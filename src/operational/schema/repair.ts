import type { Sql } from 'postgres';
import { HxError } from '../../base/errors.js';
import { type InvalidIndex, readInvalidIndexes } from './invalid-indexes.js';
import { recordEvent } from './ledger.js';
import { type MigrateOptions, type Migrator, withMigrator } from './migrator.js';
import { type Plan, readPlan } from './plan.js';
import { TABLE_LOCK_TIMEOUT_MS } from './run.js';
import { finishStep, forgetStep } from './step-ledger.js';
import { settle } from './steps.js';
import { declareMigration, forgetMigration } from './transaction.js';

/** What the user says of a step whose outcome nobody else can tell. */
export const STEP_DECISIONS = ['done', 'again'] as const;
export type StepDecision = (typeof STEP_DECISIONS)[number];

export interface RepairOptions extends MigrateOptions {
  readonly step?: StepDecision | undefined;
}

export interface RepairResult {
  /** What was done, each in a sentence. */
  readonly repaired: readonly string[];
  /** What a person has to do, and how. */
  readonly left: readonly { readonly what: string; readonly hint: string }[];
}

type Left = RepairResult['left'][number];

/**
 * Mends what dead runs and edited comments left: hashes of files whose statements are the same, steps that were begun
 * and not finished, INVALID indexes. Runs no migration.
 * @throws HxError `usage` for a decision about a step when none was left unfinished, and as readPlan.
 */
export function repairMigrations(options: RepairOptions): Promise<RepairResult> {
  return withMigrator(options, async (migrator) => {
    const { sql, target } = migrator;
    const plan = await readPlan(sql, options);
    const repaired: string[] = [];
    const left: Left[] = [];
    const did = async (what: string, number: number | null) => {
      await recordEvent(sql, 'repaired', number, what);
      repaired.push(what);
    };
    await declareMigration(sql, target.environment, TABLE_LOCK_TIMEOUT_MS, 'session');
    try {
      await acceptComments(migrator, plan, did);
      await decideStep(migrator, plan, options.step, did, left);
      for (const index of await readInvalidIndexes(sql)) await mendIndex(sql, index, did, left);
    } finally {
      // Only a lost connection makes this fail, and then there is no session to tidy up.
      await forgetMigration(sql).catch(() => undefined);
    }
    return { repaired, left };
  });
}

type Did = (what: string, number: number | null) => Promise<void>;

async function acceptComments({ sql }: Migrator, { commentsChanged, files }: Plan, did: Did): Promise<void> {
  for (const { name, number, hash } of files.filter((file) => commentsChanged.includes(file.name))) {
    await sql`update hx.migration set hash = ${hash} where number = ${number}`;
    await did(`${name}: its comments changed, and the ledger has the hash of the file as it is now.`, number);
  }
}

async function decideStep(
  { sql, emit }: Migrator,
  { begun, files }: Plan,
  decision: StepDecision | undefined,
  did: Did,
  left: Left[],
): Promise<void> {
  const open = begun.find(({ finishedAt }) => finishedAt === null);
  if (open === undefined) {
    if (decision === undefined) return;
    throw new HxError('usage', 'No step is unfinished, so there is nothing to decide with --step.', {
      hint: 'hx migrate status shows the steps.',
    });
  }
  const { number, step } = open;
  const name = files.find((file) => file.number === number)?.name ?? String(number);
  const outcome = decision ?? (await settle(sql, name, open, (message) => emit({ type: 'note', message })));
  if (outcome === 'undecided') {
    left.push({
      what: `Step ${step} of ${name} was begun and not finished: ${open.statement}`,
      hint: 'Look at the database, then run hx migrate repair --step done if it did its work, or --step again if not.',
    });
    return;
  }
  if (decision === 'done') await finishStep(sql, number, step);
  if (decision === 'again') await forgetStep(sql, number, step);
  const now = outcome === 'done' ? 'counts as done' : 'will run again';
  await did(`Step ${step} of ${name} ${now}; hx migrate goes on from there.`, number);
}

async function mendIndex(
  sql: Sql,
  { name, partitioned, leftover, builder }: InvalidIndex,
  did: Did,
  left: Left[],
): Promise<void> {
  if (builder !== null) {
    left.push({
      what: `The index ${name} is being built by backend ${builder}.`,
      hint: 'Wait for it to end.',
    });
    return;
  }
  if (partitioned) {
    left.push({
      what: `The index ${name} of a partitioned table is INVALID: a partition lacks its part.`,
      hint: `Attach the index of every partition: alter index ${name} attach partition INDEX.`,
    });
    return;
  }
  try {
    await sql.unsafe(leftover ? `drop index concurrently ${name}` : `reindex index concurrently ${name}`);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'PostgresError') throw error;
    left.push({
      what: `The index ${name} is INVALID and cannot be rebuilt: ${error.message}`,
      hint: 'Mend the rows that it is about, then run hx migrate repair again.',
    });
    return;
  }
  await did(
    leftover ? `The leftover index ${name} is dropped.` : `The INVALID index ${name} is rebuilt.`,
    null,
  );
}
