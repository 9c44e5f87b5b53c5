import type { ProgressEvent } from '../base/events.js';
import type { Context } from './context.js';

type CallsEvent = Extract<ProgressEvent, { type: 'calls' }>;

/** Adds up the measurements of a sweep, whichever models they ask, and tells the door about the whole. */
export class SweepProgress {
  private readonly context: Context;
  private readonly total: number;
  private readonly startedMs: number;
  /** The latest counts of each model's measurement under way. */
  private readonly current = new Map<string, CallsEvent>();
  private readonly ended = { runs: 0, calls: 0, retried: 0, costUsd: 0 };
  private hasCost = false;

  /** @param total measurements, claims times models. */
  constructor(total: number, context: Context) {
    this.total = total;
    this.context = context;
    this.startedMs = context.clock.monotonicMs();
  }

  /** The context for the measurements: their calls count here instead of being shown one by one. */
  get inner(): Context {
    return {
      ...this.context,
      emit: (event) => {
        if (event.type !== 'calls') {
          this.context.emit(event);
          return;
        }
        this.hasCost ||= event.costUsd !== null;
        this.current.set(event.model, event);
        this.emit();
      },
    };
  }

  /** A model's measurements have ended, with a result or without. */
  end(model: string, runs = 1): void {
    const last = this.current.get(model);
    this.current.delete(model);
    this.ended.runs += runs;
    this.ended.calls += last?.calls ?? 0;
    this.ended.retried += last?.retried ?? 0;
    this.ended.costUsd += last?.costUsd ?? 0;
    this.emit();
  }

  private emit(): void {
    const under = [...this.current.values()];
    const sum = (ended: number, count: (event: CallsEvent) => number) =>
      under.reduce((total, event) => total + count(event), ended);
    this.context.emit({
      type: 'sweep',
      ended: this.ended.runs,
      total: this.total,
      done: sum(this.ended.runs, ({ done, total }) => done / total),
      calls: sum(this.ended.calls, ({ calls }) => calls),
      retried: sum(this.ended.retried, ({ retried }) => retried),
      costUsd: this.hasCost ? sum(this.ended.costUsd, ({ costUsd }) => costUsd ?? 0) : null,
      elapsedMs: this.context.clock.monotonicMs() - this.startedMs,
    });
  }
}
