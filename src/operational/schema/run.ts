import type { Migration } from './files.js';
import type { Fingerprint } from './fingerprint/read.js';
import { readFingerprint } from './fingerprint/read.js';
import type { LedgerEntry } from './ledger.js';
import { refuseUnsafe } from './lint/gate.js';
import type { MigrateOptions, Migrator } from './migrator.js';
import type { Plan } from './plan.js';
import { confirmPlan, planHash } from './plan.js';
import { checkBefore, type Proof, requireProof } from './promotion.js';
import { semanticHash } from './statements.js';

/** A migration gives up waiting for a table after this long, so that traffic does not queue up behind it. */
export const TABLE_LOCK_TIMEOUT_MS = 5_000;

/** One run of hx migrate under way. */
export interface Run {
  readonly migrator: Migrator;
  readonly planHash: string;
  /** What the source proved of what is pending; undefined on the local database. */
  readonly proof: Proof | undefined;
  /** Of the schema as it is, hex. */
  fingerprint: string;
}

/**
 * Makes sure that the plan may run here, and looks at the schema that it begins with.
 * @throws HxError as confirmPlan, refuseUnsafe, requireProof and checkBefore.
 */
export async function beginRun(migrator: Migrator, plan: Plan, options: MigrateOptions): Promise<Run> {
  const { sql, target, emit } = migrator;
  const { environment } = target;
  const hash = await planHash(plan.pending);
  confirmPlan(plan.pending, hash, environment, options.confirm);
  await refuseUnsafe(plan.pending, environment, emit);
  const proof = await requireProof(options, environment, plan.pending);
  const found = await readFingerprint(sql);
  if (proof !== undefined) await checkBefore(proof, plan, found, environment, options);
  return { migrator, planHash: hash, proof, fingerprint: found.hash };
}

/** What the ledger will say of a migration that leaves this schema. */
export async function entryFor(
  { planHash: plan, fingerprint }: Run,
  migration: Migration,
  after: Fingerprint,
  elapsedMs: number,
): Promise<LedgerEntry> {
  const { number, name, hash, sql, mode } = migration;
  return {
    number,
    name,
    hash,
    mode,
    semanticHash: await semanticHash(name, sql),
    fingerprintBefore: fingerprint,
    fingerprintAfter: after.hash,
    planHash: plan,
    elapsedMs: Math.round(elapsedMs * 10) / 10,
  };
}
