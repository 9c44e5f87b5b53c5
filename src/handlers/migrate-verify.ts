import * as t from 'typanion';
import type { Environment } from '../base/environments.js';
import type { SchemaFinding } from '../operational/schema/verify/findings.js';
import { defineHandler } from './handler.js';

/** Everything that is wrong with an environment's schema and its migrations. */
export interface MigrateVerifyResult {
  readonly environment: Environment;
  /** Whether there is no problem; notes do not count. */
  readonly ok: boolean;
  readonly findings: readonly SchemaFinding[];
}

export const migrateVerify = defineHandler({
  name: 'migrate verify',
  input: t.isObject({ replay: t.isOptional(t.isBoolean()) }),
  async run({ replay = true }, context): Promise<MigrateVerifyResult> {
    const { verifySchema } = await import('../operational/schema/verify/verify.js');
    const findings = await verifySchema({ ...context, replay });
    const ok = findings.every(({ severity }) => severity === 'note');
    return { environment: context.settings.environment, ok, findings };
  },
});
