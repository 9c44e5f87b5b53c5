import * as t from 'typanion';
import type { Environment } from '../base/environments.js';
import { HxError } from '../base/errors.js';
import type { AppliedNow } from '../operational/schema/apply.js';
import type { Finding } from '../operational/schema/lint/lint.js';
import { defineHandler } from './handler.js';

const isNumber = t.cascade(t.isNumber(), [t.isInteger(), t.isAtLeast(1)]);

export interface MigrateResult {
  readonly environment: Environment;
  readonly applied: readonly AppliedNow[];
}

export const migrate = defineHandler({
  name: 'migrate',
  input: t.isObject({ to: t.isOptional(isNumber), yes: t.isOptional(t.isBoolean()) }),
  async run({ to, yes = false }, context): Promise<MigrateResult> {
    const { environment } = context.settings;
    if (environment === 'production' && !yes) {
      throw new HxError('usage', 'Migrations change the production database for everybody.', {
        hint: 'See what would run with hx migrate plan --env production, then add --yes.',
      });
    }
    const { applyMigrations } = await import('../operational/schema/apply.js');
    return { environment, applied: await applyMigrations({ ...context, to }) };
  },
});

/** A database's migrations: times in UTC, durations in milliseconds. */
export interface MigrateStatusResult {
  readonly environment: Environment;
  readonly applied: readonly {
    readonly number: number;
    readonly name: string;
    readonly appliedAt: Date;
    readonly elapsedMs: number;
  }[];
  readonly pending: readonly { readonly number: number; readonly name: string }[];
}

export const migrateStatus = defineHandler({
  name: 'migrate status',
  input: t.isObject({}),
  async run(_input, context): Promise<MigrateStatusResult> {
    const { planMigrations } = await import('../operational/schema/apply.js');
    const { applied, pending } = await planMigrations(context);
    return {
      environment: context.settings.environment,
      applied: applied.map(({ number, name, appliedAt, elapsedMs }) => ({
        number,
        name,
        appliedAt,
        elapsedMs,
      })),
      pending: pending.map(({ number, name }) => ({ number, name })),
    };
  },
});

/** What `migrate` would run, in order. */
export interface MigratePlanResult {
  readonly environment: Environment;
  readonly pending: readonly {
    readonly number: number;
    readonly name: string;
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
    const { planMigrations } = await import('../operational/schema/apply.js');
    const { lintAll } = await import('../operational/schema/lint/gate.js');
    const { pending } = await planMigrations({ ...context, to });
    return { environment: context.settings.environment, pending, findings: await lintAll(pending) };
  },
});
