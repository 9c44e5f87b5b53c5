import type { EmitProgress } from '../../base/events.js';
import type { DumpHeader } from './format.js';

/** Tells how many of a dump's rows were gone through, table after table. */
export class RowCounter {
  private readonly what: string;
  private readonly total: number;
  private readonly emit: EmitProgress;
  private readonly startedMs = performance.now();
  private before = 0;

  constructor(what: string, { tables }: Pick<DumpHeader, 'tables'>, emit: EmitProgress) {
    this.what = what;
    this.total = tables.reduce((sum, { rows }) => sum + rows, 0);
    this.emit = emit;
  }

  /** @param rows of the present table. */
  show(rows: number): void {
    const elapsedMs = performance.now() - this.startedMs;
    const done = this.before + rows;
    this.emit({ type: 'progress', what: this.what, done, total: this.total, elapsedMs });
  }

  /** Goes on to the next table. */
  next(rows: number): void {
    this.show(rows);
    this.before += rows;
  }
}
