import * as t from 'typanion';
import { HxError } from '../base/errors.js';
import { ENGINES } from '../operational/server/cluster.js';
import type { LocalServer } from '../operational/server/local.js';
import type { Context } from './context.js';
import { defineHandler } from './handler.js';

/** The local Postgres after `db up`. Its url holds the password. */
export interface DbUpResult extends LocalServer {
  readonly started: boolean;
  readonly elapsedMs: number;
}

export const dbUp = defineHandler({
  name: 'db up',
  input: t.isObject({ engine: t.isOptional(t.isEnum([...ENGINES, 'auto'] as const)) }),
  async run({ engine = 'auto' }, context): Promise<DbUpResult> {
    localOnly(context, 'up');
    const { localUp } = await import('../operational/server/local.js');
    const startedMs = context.clock.monotonicMs();
    const port = context.settings.number('HX_PG_PORT');
    noteOtherServer(context);
    const server = await localUp({ ...folderOf(context), engine, port });
    return { ...server, elapsedMs: context.clock.monotonicMs() - startedMs };
  },
});

export const dbDown = defineHandler({
  name: 'db down',
  input: t.isObject({}),
  async run(_input, context): Promise<{ readonly stopped: boolean }> {
    localOnly(context, 'down');
    const { localDown } = await import('../operational/server/local.js');
    return { stopped: await localDown(folderOf(context)) };
  },
});

export const dbStatus = defineHandler({
  name: 'db status',
  input: t.isObject({}),
  async run(_input, context): Promise<LocalServer> {
    localOnly(context, 'status');
    noteOtherServer(context);
    const { localStatus } = await import('../operational/server/local.js');
    return localStatus(folderOf(context));
  },
});

export const dbReset = defineHandler({
  name: 'db reset',
  input: t.isObject({ yes: t.isOptional(t.isBoolean()) }),
  /** The folder of the cluster that was removed; null when there was none. */
  async run({ yes = false }, context): Promise<{ readonly removed: string | null }> {
    localOnly(context, 'reset');
    if (!yes) {
      throw new HxError('usage', 'A reset removes the local Postgres and all data in it.', {
        hint: 'hx db reset --yes',
      });
    }
    const { localReset } = await import('../operational/server/local.js');
    const { clusterFolder } = await import('../operational/server/cluster.js');
    const { folder } = clusterFolder(context.settings.dataDir);
    return { removed: (await localReset(folderOf(context))) ? folder : null };
  },
});

export const dbUrl = defineHandler({
  name: 'db url',
  input: t.isObject({}),
  /** The connection string of the chosen environment, password included. */
  async run(_input, context): Promise<{ readonly environment: string; readonly url: string }> {
    const { findTarget } = await import('../operational/target.js');
    const { environment, url } = findTarget(context.settings);
    return { environment, url };
  },
});

export const dbClaim = defineHandler({
  name: 'db claim',
  input: t.isObject({ yes: t.isOptional(t.isBoolean()) }),
  async run({ yes = false }, context): Promise<{ readonly environment: string; readonly claimed: boolean }> {
    const { environment } = context.settings;
    if (environment === 'production' && !yes) {
      throw new HxError('usage', 'Claiming makes the database there the production one.', {
        hint: 'hx db claim --env production --yes',
      });
    }
    const { claimEnvironment } = await import('../operational/claim.js');
    return { environment, claimed: await claimEnvironment(context, yes) };
  },
});

function folderOf({ settings, signal, emit }: Context) {
  return { dataDir: settings.dataDir, signal, emit };
}

/** Says that the server at hand is not the one that other commands write to. */
function noteOtherServer({ settings, emit }: Context): void {
  if (settings.get('DATABASE_URL') === undefined) return;
  const message = 'DATABASE_URL is set, so hx uses that database and not the one that hx db up starts.';
  emit({ type: 'note', message });
}

function localOnly({ settings }: Context, verb: string): void {
  if (settings.environment === 'local') return;
  throw new HxError('usage', `hx db ${verb} works on the local database, not on ${settings.environment}.`, {
    hint: `hx db ${verb} --env local`,
  });
}
