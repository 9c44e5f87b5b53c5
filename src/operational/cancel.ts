import type { PendingQuery, Row } from 'postgres';
import { systemCode } from '../base/errors.js';

const QUERY_CANCELED = '57014';

/** What the driver's queries have besides what their type says. */
interface Cancellable {
  canceller: ((query: unknown) => Promise<unknown>) | null;
  active: boolean;
}

/**
 * Asks the server to stop a query, over a connection of its own; once. The driver keeps the promise of that to itself,
 * so where it fails (the server is gone, which the query will say too) nobody could catch it, and the process would end.
 * @returns once the server was told: what is sent on the query's connection before may be stopped in its place.
 */
export async function cancelQuery(query: unknown): Promise<void> {
  const cancellable = query as Cancellable;
  const { canceller } = cancellable;
  if (canceller === null) return;
  cancellable.canceller = null;
  await canceller(query).catch(() => undefined);
}

/**
 * The same for a COPY whose rows are coming. The driver takes it for done by then, and would wait for it to begin
 * before it asks the server.
 */
export function cancelCopy(query: unknown): Promise<void> {
  (query as Cancellable).active = true;
  return cancelQuery(query);
}

/**
 * What a query answers. The server stops it when the user gives up.
 * @throws the signal's reason then, and what the server says.
 */
export async function answerOf<T extends readonly Row[]>(
  query: PendingQuery<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  let told: Promise<void> | undefined;
  const cancel = () => {
    told = cancelQuery(query);
  };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await query;
  } catch (error) {
    if (systemCode(error) === QUERY_CANCELED) signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
    await told;
  }
}
