import { HxError } from '../../base/errors.js';
import type { Migration } from './files.js';
import type { Fingerprint, SeenObjects } from './fingerprint/read.js';
import { readFingerprint } from './fingerprint/read.js';
import type { LedgerEntry } from './ledger.js';
import { refuseUnsafe } from './lint/gate.js';
import type { MigrateOptions, Migrator } from './migrator.js';
import type { Plan } from './plan.js';
import { confirmPlan, hashPlan, type PlanHashes } from './plan.js';
import { checkBefore, type Proof, requireProof } from './promotion.js';

/** A migration gives up waiting for a table after this long, so that traffic does not queue up behind it. */
export const TABLE_LOCK_TIMEOUT_MS = 5_000;

/** One run of hx migrate under way. */
export interface Run {
  readonly migrator: Migrator;
  readonly hashes: PlanHashes;
  /** What the source proved of what is pending; undefined on the local database. */
  readonly proof: Proof | undefined;
  /** What this run has read of the schema so far. */
  readonly seen: SeenObjects;
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
  const hashes = await hashPlan(plan.pending);
  confirmPlan(plan.pending, hashes.plan, environment, options);
  await refuseUnsafe(plan.pending, environment, emit);
  const proof = await requireProof(options, environment, plan.pending);
  const seen: SeenObjects = new Map();
  const found = await readFingerprint(sql, seen);
  if (proof !== undefined) await checkBefore(proof, plan, found, environment, options);
  return { migrator, hashes, proof, seen, fingerprint: found.hash };
}

/** What the ledger will say of a migration that leaves this schema. */
export function entryFor(
  { hashes, fingerprint }: Run,
  migration: Migration,
  after: Fingerprint,
  elapsedMs: number,
): LedgerEntry {
  const { number, name, hash, mode } = migration;
  const semanticHash = hashes.statements.get(number);
  if (semanticHash === undefined) throw new HxError('bug', `${name} is no part of the plan.`);
  return {
    number,
    name,
    hash,
    mode,
    semanticHash,
    fingerprintBefore: fingerprint,
    fingerprintAfter: after.hash,
    planHash: hashes.plan,
    elapsedMs: Math.round(elapsedMs * 10) / 10,
  };
}
