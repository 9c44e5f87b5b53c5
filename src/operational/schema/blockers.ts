import { readFile } from 'node:fs/promises';
import type { Sql } from 'postgres';
import { packagePath } from '../../base/paths.js';
import { connectDirectly } from '../connect.js';
import { migratorName } from './lock.js';
import type { Migrator } from './migrator.js';

/** A wait that is over sooner is not worth a connection. */
const FIRST_LOOK_MS = 250;
const LOOK_EVERY_MS = 1_000;

/** Who makes a migration wait for a table. */
export interface BlockerWatch {
  /** Those seen last, in words; undefined when nobody was seen. */
  readonly seen: () => string | undefined;
  stop(): Promise<void>;
}

/**
 * Looks from a second connection, opened when a wait lasts, whom the migrator's backend waits for, and says so once
 * for each.
 */
export function watchBlockers(migrator: Migrator, name: string, lockTimeoutMs: number): BlockerWatch {
  let seen: string | undefined;
  let session: Promise<Sql> | undefined;
  let looking: Promise<void> = Promise.resolve();
  const over = new AbortController();
  const look = async () => {
    session ??= openWatch(migrator, over.signal);
    const blockers = await readBlockers(await session, migrator.backend);
    if (blockers === '' || blockers === seen) return;
    seen = blockers;
    migrator.emit({ type: 'note', message: `${name} waits for a lock of ${blockers}.` });
  };
  let timer = setTimeout(next, Math.min(FIRST_LOOK_MS, lockTimeoutMs / 2));
  function next() {
    // Only an aid: what happens to the migration itself is told by its own connection.
    looking = look().catch(() => undefined);
    timer = setTimeout(next, LOOK_EVERY_MS);
  }
  return {
    seen: () => seen,
    async stop() {
      clearTimeout(timer);
      // What happened to the migration is to be told now, even while the server cannot be reached.
      over.abort();
      await looking;
      await (await session?.catch(() => undefined))?.end({ timeout: 1 });
    },
  };
}

function openWatch({ target, signal }: Migrator, over: AbortSignal): Promise<Sql> {
  return connectDirectly(
    target,
    { max: 1, applicationName: `${migratorName()}, watch` },
    AbortSignal.any([signal, over]),
    () => undefined,
  );
}

async function readBlockers(sql: Sql, backend: number): Promise<string> {
  const query = await readFile(packagePath('sql', 'postgres', 'lock_blockers.sql'), 'utf8');
  const rows = await sql.unsafe<{ pid: number; application: string; since: string | null }[]>(query, [
    backend,
  ]);
  return rows
    .map(({ pid, application, since }) => {
      return `${application} (backend ${pid}${since === null ? '' : `, since ${since}`})`;
    })
    .join(', ');
}
