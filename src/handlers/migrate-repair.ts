import * as t from 'typanion';
import type { Environment } from '../base/environments.js';
import { HxError } from '../base/errors.js';
import type { RepairResult } from '../operational/schema/repair.js';
import { defineHandler } from './handler.js';

export interface MigrateBaselineResult {
  readonly environment: Environment;
  /** Names of the migrations that were written down, in order. */
  readonly written: readonly string[];
}

export const migrateBaseline = defineHandler({
  name: 'migrate baseline',
  input: t.isObject({
    to: t.cascade(t.isNumber(), [t.isInteger(), t.isAtLeast(1)]),
    yes: t.isOptional(t.isBoolean()),
  }),
  async run({ to, yes = false }, context): Promise<MigrateBaselineResult> {
    const { environment } = context.settings;
    if (!yes) {
      const what = `A baseline writes migrations 1 to ${to} into the ledger of ${environment} without running them.`;
      throw new HxError('usage', what, {
        hint: `hx migrate baseline --env ${environment} --to ${to} --yes`,
      });
    }
    const { baselineMigrations } = await import('../operational/schema/baseline.js');
    return { environment, written: await baselineMigrations({ ...context, to }) };
  },
});

export interface MigrateRepairResult extends RepairResult {
  readonly environment: Environment;
}

export const migrateRepair = defineHandler({
  name: 'migrate repair',
  input: t.isObject({ step: t.isOptional(t.isEnum(['done', 'again'] as const)) }),
  async run({ step }, context): Promise<MigrateRepairResult> {
    const { repairMigrations } = await import('../operational/schema/repair.js');
    const { environment } = context.settings;
    return { environment, ...(await repairMigrations({ ...context, step })) };
  },
});
