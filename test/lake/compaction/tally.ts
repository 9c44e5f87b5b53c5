import type { LakeEngine } from '../../../src/lake/engine/engine.js';
import { runRows } from '../collect.js';

/** What a reader asks of the lake. */
const COUNTS = `SELECT lane, count(*), count(DISTINCT run_id), sum(revision) FROM checks GROUP BY 1 ORDER BY 1`;

export type Lane = 'research' | 'operational';

/** How often something was begun, and how often somebody was told that the lake has it. */
interface Count {
  begun: number;
  done: number;
}

/** What happened to the rows of a lane: from that it follows how many a reader has to see, and may see. */
export class Tally {
  readonly inserted: Count = { begun: 0, done: 0 };
  readonly updated: Count = { begun: 0, done: 0 };
  readonly deleted: Count = { begun: 0, done: 0 };
  /** The revisions of the deleted rows, all together: what their deletion takes off the sum. */
  readonly deletedRevisions: Count = { begun: 0, done: 0 };

  copy(): Tally {
    return Object.assign(new Tally(), structuredClone({ ...this }));
  }

  /** Takes as done what was begun when `earlier` was copied. */
  acknowledge(earlier: Tally): void {
    for (const what of ['inserted', 'updated', 'deleted', 'deletedRevisions'] as const) {
      this[what].done = Math.max(this[what].done, earlier[what].begun);
    }
  }

  /**
   * What is wrong with an answer.
   * @param before as it was when the question was asked.
   */
  problems(lane: Lane, { rows, runs, revisions }: Seen, before: Tally): string[] {
    const found: string[] = [];
    if (rows !== runs) found.push(`${lane}: ${rows} rows of ${runs} runs`);
    const least = before.inserted.done - this.deleted.begun;
    const most = this.inserted.begun - before.deleted.done;
    if (rows < least || rows > most) found.push(`${lane}: ${rows} rows, not ${least} to ${most}`);
    const leastSum = before.updated.done - this.deletedRevisions.begun;
    const mostSum = this.updated.begun;
    if (revisions < leastSum || revisions > mostSum) {
      found.push(`${lane}: revisions sum to ${revisions}, not ${leastSum} to ${mostSum}`);
    }
    return found;
  }
}

/** What a reader saw of a lane. */
export interface Seen {
  readonly rows: number;
  readonly runs: number;
  readonly revisions: number;
}

/** Counts the rows of both lanes. */
export async function seeRows(engine: LakeEngine): Promise<Record<Lane, Seen>> {
  const found = await runRows(engine, COUNTS);
  const seen = (lane: Lane): Seen => {
    const [, rows = 0, runs = 0, revisions = 0] = found.find(([name]) => name === lane) ?? [];
    return { rows: Number(rows), runs: Number(runs), revisions: Number(revisions ?? 0) };
  };
  return { research: seen('research'), operational: seen('operational') };
}
