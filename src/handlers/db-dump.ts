import { join } from 'node:path';
import * as t from 'typanion';
import { HxError } from '../base/errors.js';
import type { DumpReport } from '../operational/dump/dump.js';
import type { RestoreReport } from '../operational/dump/restore.js';
import type { Context } from './context.js';
import { defineHandler } from './handler.js';

export interface DbDumpResult extends DumpReport {
  readonly elapsedMs: number;
}

export interface DbRestoreResult extends RestoreReport {
  readonly elapsedMs: number;
}

export const dbDump = defineHandler({
  name: 'db dump',
  /** `output`: absolute path of the file to make; by default one named after the moment, below the data folder. */
  input: t.isObject({ output: t.isOptional(t.isString()) }),
  async run({ output }, context): Promise<DbDumpResult> {
    refuseProduction(context, 'dump');
    const { settings, signal, emit, clock } = context;
    const { dumpDatabase } = await import('../operational/dump/dump.js');
    const startedMs = clock.monotonicMs();
    const now = clock.now();
    const path = output ?? join(settings.dataDir, 'dumps', dumpName(settings.environment, now));
    const report = await dumpDatabase({ settings, signal, emit, path, now });
    return { ...report, elapsedMs: clock.monotonicMs() - startedMs };
  },
});

export const dbRestore = defineHandler({
  name: 'db restore',
  input: t.isObject({ file: t.isString(), dryRun: t.isOptional(t.isBoolean()) }),
  async run({ file, dryRun = false }, context): Promise<DbRestoreResult> {
    refuseProduction(context, 'restore');
    const { settings, signal, emit, clock } = context;
    const { restoreDump } = await import('../operational/dump/restore.js');
    const startedMs = clock.monotonicMs();
    const report = await restoreDump({ settings, signal, emit, path: file, dryRun });
    return { ...report, elapsedMs: clock.monotonicMs() - startedMs };
  },
});

/** `local-20261126T101500Z.dump.gz` */
function dumpName(environment: string, now: Date): string {
  const stamp = now.toISOString().replace(/[-:]|\.\d+/g, '');
  return `${environment}-${stamp}.dump.gz`;
}

function refuseProduction({ settings }: Context, verb: string): void {
  if (settings.environment !== 'production') return;
  throw new HxError('usage', `hx db ${verb} works on local and development, not on production.`, {
    hint: 'Production is kept by Neon: restore it to a moment, or make a branch of it, in the console of Neon.',
  });
}
