import { HxError } from '../base/errors.js';
import { sleep } from '../base/time.js';
import type { ResearchStore } from '../research/store.js';
import type { RunRecord } from '../rpl/record.js';
import type { Context } from './context.js';

/** How long another process's append is waited for. It takes milliseconds, unless that process stands still. */
const PATIENCE_MS = 3_000;

/** How often one who waits for another's append looks again. */
const POLL_EVERY_MS = 100;

/** What became of a run that may have been in the lake already; `elsewhere`: another process is bringing it there. */
export type Brought = 'there' | 'appended' | 'elsewhere';

/** Appends to the lake every finished run that an earlier invocation left out of it. */
export async function publishLeftOver(store: ResearchStore, context: Context): Promise<void> {
  for (const run of store.publications.missing()) await bring(run, store, context, 0);
}

/** Appends a run to the lake that was just measured, or was before and may be there already. */
export async function publish(
  { run, reused }: { readonly run: RunRecord; readonly reused: boolean },
  store: ResearchStore,
  context: Context,
): Promise<void> {
  if (!reused && store.publications.isOurs(run.run_id)) await deliver(run, 'new', store, context);
  else await bring(run, store, context);
}

/**
 * Appends a run to the lake, unless it is there already or another process is at it, of which a note tells.
 * @param patienceMs how long that process is waited for; not at all, and without a note, at 0.
 */
export async function bring(
  run: RunRecord,
  store: ResearchStore,
  context: Context,
  patienceMs = PATIENCE_MS,
): Promise<Brought> {
  const { publications } = store;
  const lake = await context.lanes.researchLake();
  const { researchRow } = await import('../lake/files/schema.js');
  if (await lake.has(researchRow(run))) {
    if (!publications.isDone(run.run_id)) publications.end(run.run_id, context.clock.now());
    return 'there';
  }
  const until = context.clock.monotonicMs() + patienceMs;
  while (!publications.begin(run.run_id)) {
    if (context.clock.monotonicMs() >= until) {
      if (patienceMs > 0) tellElsewhere(run, store, context);
      return 'elsewhere';
    }
    await sleep(POLL_EVERY_MS, context.signal);
  }
  return deliver(run, 'left', store, context);
}

function tellElsewhere({ run_id }: RunRecord, store: ResearchStore, { emit }: Context): void {
  const other = `process ${store.publications.processOf(run_id)}`;
  const message = `The run ${run_id} is kept in research.sqlite, and ${other} is bringing it to the lake. If that stands still, let it go on or end it, then run hx export research.`;
  emit({ type: 'note', message });
}

/**
 * Appends a run whose publication this process has begun.
 * @param state `left` when another process may have brought it before that.
 */
async function deliver(
  run: RunRecord,
  state: 'new' | 'left',
  store: ResearchStore,
  context: Context,
): Promise<Brought> {
  const { researchRow } = await import('../lake/files/schema.js');
  const row = researchRow(run);
  try {
    const lake = await context.lanes.researchLake();
    const isThere = state === 'left' && (await lake.has(row));
    if (!isThere) await lake.append(row);
    store.publications.end(run.run_id, context.clock.now());
    return isThere ? 'there' : 'appended';
  } catch (thrown) {
    giveUp(run, store);
    throw sayingKept(thrown);
  }
}

/** A store that can be written no more is no worse than what has failed, and the end of this process frees the run too. */
function giveUp({ run_id }: RunRecord, store: ResearchStore): void {
  try {
    store.publications.giveUp(run_id);
  } catch (error) {
    if (!(error instanceof HxError)) throw error;
  }
}

/** A lake that is out of reach loses no measurement, which its error alone would not say. */
function sayingKept(thrown: unknown): unknown {
  if (!(thrown instanceof HxError)) return thrown;
  const { code, message, hint = '', facts } = thrown;
  const kept = 'The run is kept in research.sqlite, and the next hx research brings it to the lake.';
  return new HxError(code, message, { cause: thrown, hint: `${hint} ${kept}`.trim(), facts });
}
