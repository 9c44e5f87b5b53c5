import * as t from 'typanion';
import { type Environment, parseEnvironment } from '../base/environments.js';
import { HxError } from '../base/errors.js';
import type { SchemaDifference } from '../operational/schema/fingerprint/diff.js';
import { defineHandler } from './handler.js';

export type { SchemaDifference } from '../operational/schema/fingerprint/diff.js';

/** In what the schema of an environment differs from another. Hashes are those of the whole schemas. */
export interface MigrateDiffResult {
  readonly environment: Environment;
  readonly against: Environment | 'files';
  readonly equal: boolean;
  readonly hash: string;
  readonly hashAgainst: string;
  readonly objects: number;
  /** `missing` and `extra` as seen from the environment; `before` is what the other has. */
  readonly differences: readonly SchemaDifference[];
}

export const migrateDiff = defineHandler({
  name: 'migrate diff',
  input: t.isObject({ against: t.isOptional(t.isString()) }),
  async run({ against: wanted }, context): Promise<MigrateDiffResult> {
    const { environment } = context.settings;
    const against = chooseAgainst(environment, wanted);
    const { schemaOf } = await import('../operational/schema/fingerprint/sources.js');
    const { diffFingerprints } = await import('../operational/schema/fingerprint/diff.js');
    const found = await schemaOf(environment, context);
    const expected = await schemaOf(against, context);
    const differences = diffFingerprints(expected, found);
    return {
      environment,
      against,
      equal: found.hash === expected.hash,
      hash: found.hash,
      hashAgainst: expected.hash,
      objects: found.objects.length,
      differences,
    };
  },
});

function chooseAgainst(environment: Environment, wanted: string | undefined): Environment | 'files' {
  if (wanted === undefined) return environment === 'local' ? 'files' : 'local';
  if (wanted === 'files') return 'files';
  const against = parseEnvironment(wanted);
  if (against !== environment) return against;
  throw new HxError('usage', `${environment} would be compared with itself.`, {
    hint: 'Give --against another environment, or files for what the migrations make.',
  });
}
