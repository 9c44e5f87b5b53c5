/** What the driver's queries have besides what their type says. */
interface Cancellable {
  canceller: ((query: unknown) => Promise<unknown>) | null;
  active: boolean;
}

/**
 * Asks the server to stop a query, over a connection of its own; once. The driver keeps the promise of that to itself,
 * so where it fails (the server is gone, which the query will say too) nobody could catch it, and the process would end.
 */
export function cancelQuery(query: unknown): void {
  const cancellable = query as Cancellable;
  const { canceller } = cancellable;
  if (canceller === null) return;
  cancellable.canceller = null;
  canceller(query).catch(() => undefined);
}

/**
 * The same for a COPY whose rows are coming. The driver takes it for done by then, and would wait for it to begin
 * before it asks the server.
 */
export function cancelCopy(query: unknown): void {
  (query as Cancellable).active = true;
  cancelQuery(query);
}
