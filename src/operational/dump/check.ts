import type { Environment } from '../../base/environments.js';
import { HxError } from '../../base/errors.js';
import type { EmitProgress } from '../../base/events.js';
import type { DumpHeader, DumpTrailer } from './format.js';
import { RowCounter } from './progress.js';
import { DumpReader } from './reader.js';

/**
 * Reads a dump to its end and makes sure that it is whole, as it was written, and this environment's.
 * @throws HxError `usage` for no dump, `conflict` for a damaged one, `refused` for another environment's.
 */
export async function checkDump(
  path: string,
  environment: Environment,
  signal: AbortSignal,
  emit: EmitProgress,
): Promise<{ header: DumpHeader; trailer: DumpTrailer }> {
  const reader = new DumpReader(path);
  try {
    const header = await reader.header();
    if (header.environment !== environment) throw otherEnvironment(path, header, environment);
    const counter = new RowCounter('rows checked', header, emit);
    for (const table of header.tables) {
      for await (const _piece of reader.rows(table)) signal.throwIfAborted();
      counter.next(table.rows);
    }
    return { header, trailer: await reader.trailer() };
  } finally {
    await reader.close();
  }
}

/** Rows keep their environment for ever: measured in one, they are no rows of another. */
function otherEnvironment(path: string, header: DumpHeader, environment: Environment): HxError {
  return new HxError(
    'refused',
    `${path} holds the ${header.environment} database, whose rows do not belong into ${environment}.`,
    {
      hint: `Restore it with --env ${header.environment}; to look at its checks beside others, use hx export checks --env ${header.environment} and hx query.`,
      facts: { dump: header.environment, environment },
    },
  );
}
