import * as t from 'typanion';
import type { Environment } from '../base/environments.js';
import type { ErrorCode } from '../base/errors.js';
import type { AppliedNow } from '../operational/schema/apply.js';
import type { MigrationMode } from '../operational/schema/header.js';
import type { Finding } from '../operational/schema/lint/lint.js';
import { defineHandler } from './handler.js';

const isNumber = t.cascade(t.isNumber(), [t.isInteger(), t.isAtLeast(1)]);

export interface MigrateResult {
  readonly environment: Environment;
  readonly applied: readonly AppliedNow[];
}

export const migrate = defineHandler({
  name: 'migrate',
  /** `confirm` is the beginning of the hash of the plan that was seen; production needs it. */
  input: t.isObject({ to: t.isOptional(isNumber), confirm: t.isOptional(t.isString()) }),
  async run({ to, confirm }, context): Promise<MigrateResult> {
    const { applyMigrations } = await import('../operational/schema/apply.js');
    const { replayFingerprint } = await import('../operational/schema/fingerprint/sources.js');
    const { environment } = context.settings;
    const options = { ...context, to, confirm, replay: replayFingerprint };
    return { environment, applied: await applyMigrations(options) };
  },
});

/** A database's migrations: times in UTC, durations in milliseconds, hashes in hex. */
export interface MigrateStatusResult {
  readonly environment: Environment;
  readonly applied: readonly {
    readonly number: number;
    readonly name: string;
    /** Null where the ledger did not keep it yet. */
    readonly mode: MigrationMode | null;
    readonly appliedAt: Date;
    readonly elapsedMs: number;
    readonly planHash: string | null;
    /** Whether comments of its file, and nothing else, changed since. */
    readonly commentsChanged: boolean;
  }[];
  readonly pending: readonly {
    readonly number: number;
    readonly name: string;
    readonly mode: MigrationMode;
  }[];
  /** Hash of the plan of what is pending; null when nothing is. */
  readonly planHash: string | null;
  /** The steps of a migration that was begun and has not ended. */
  readonly steps: readonly {
    readonly number: number;
    readonly step: number;
    readonly statement: string;
    readonly startedAt: Date;
    readonly finishedAt: Date | null;
  }[];
}

export const migrateStatus = defineHandler({
  name: 'migrate status',
  input: t.isObject({}),
  async run(_input, context): Promise<MigrateStatusResult> {
    const { planMigrations } = await import('../operational/schema/apply.js');
    const { hashPlan } = await import('../operational/schema/plan.js');
    const { applied, pending, begun, commentsChanged } = await planMigrations(context);
    return {
      environment: context.settings.environment,
      applied: applied.map(({ number, name, mode, appliedAt, elapsedMs, planHash: plan }) => ({
        number,
        name,
        mode,
        appliedAt,
        elapsedMs,
        planHash: plan,
        commentsChanged: commentsChanged.includes(name),
      })),
      pending: pending.map(({ number, name, mode }) => ({ number, name, mode })),
      planHash: pending.length === 0 ? null : (await hashPlan(pending)).plan,
      steps: begun.map(({ number, step, statement, startedAt, finishedAt }) => ({
        number,
        step,
        statement,
        startedAt,
        finishedAt,
      })),
    };
  },
});

/** What `migrate` would run, in order. */
export interface MigratePlanResult {
  readonly environment: Environment;
  /** The branch on Neon, else the database's name. */
  readonly place: string;
  /** Hash of the plan, whose beginning confirms it; null when nothing is pending. */
  readonly planHash: string | null;
  /** The environment that has to have applied it before; null for none. */
  readonly source: Environment | null;
  /** Why it must not run here now; null when it may. */
  readonly blocker: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly hint: string | null;
    readonly facts: Readonly<Record<string, unknown>>;
  } | null;
  readonly pending: readonly {
    readonly number: number;
    readonly name: string;
    readonly mode: MigrationMode;
    readonly hash: string;
    readonly sql: string;
  }[];
  /** What is unsafe in them. */
  readonly findings: readonly Finding[];
}

export const migratePlan = defineHandler({
  name: 'migrate plan',
  input: t.isObject({ to: t.isOptional(isNumber) }),
  async run({ to }, context): Promise<MigratePlanResult> {
    const { planRun } = await import('../operational/schema/apply.js');
    const { lintAll } = await import('../operational/schema/lint/gate.js');
    const { replayFingerprint } = await import('../operational/schema/fingerprint/sources.js');
    const options = { ...context, to, replay: replayFingerprint };
    const { pending, place, planHash, source, blocker } = await planRun(options);
    return {
      environment: context.settings.environment,
      place,
      planHash,
      source,
      blocker:
        blocker === undefined
          ? null
          : {
              code: blocker.code,
              message: blocker.message,
              hint: blocker.hint ?? null,
              facts: blocker.facts ?? {},
            },
      pending: pending.map(({ number, name, mode, hash, sql }) => ({ number, name, mode, hash, sql })),
      findings: await lintAll(pending),
    };
  },
});
