import type { Writable } from 'node:stream';
import type { ProgressEvent } from '../../base/events.js';
import { columnsOf } from '../context.js';

/** A line appears only once work has taken this long, so that quick commands stay silent. */
const SHOW_AFTER_MS = 1_000;
/** A person reads no faster than this, and a terminal over ssh writes no faster. */
const REDRAW_EVERY_MS = 80;

const ERASE_LINE = '\r\u001b[2K';

export interface ProgressOptions {
  /** Redraw one line in place; only for a terminal. */
  readonly live: boolean;
  /** Print notes. */
  readonly notes: boolean;
}

type CallsEvent = Extract<ProgressEvent, { type: 'calls' }>;
type WaitEvent = Extract<ProgressEvent, { type: 'wait' }>;

/** Progress on standard error: notes as lines, counts as one line that redraws itself on a terminal. */
export class ProgressLine {
  private readonly stream: Writable;
  private readonly options: ProgressOptions;
  /** The latest counts of each model that is being asked. */
  private readonly calls = new Map<string, CallsEvent>();
  /** What is being waited for. */
  private waiting: string | undefined;
  private drawn = false;
  private drawnAtMs = Number.NEGATIVE_INFINITY;

  constructor(stream: Writable, options: ProgressOptions) {
    this.stream = stream;
    this.options = options;
  }

  show(event: ProgressEvent): void {
    if (event.type === 'note') {
      if (!this.options.notes) return;
      this.erase();
      this.stream.write(`${event.message}\n`);
      return;
    }
    if (event.type === 'wait') {
      this.wait(event);
      return;
    }
    const shown = event.type === 'calls' ? this.together(event) : event;
    const now = performance.now();
    if (!this.options.live || event.elapsedMs < SHOW_AFTER_MS || now - this.drawnAtMs < REDRAW_EVERY_MS)
      return;
    this.drawnAtMs = now;
    this.draw(describe(shown));
  }

  /** A terminal counts down in place; elsewhere the wait is one note, at its beginning. */
  private wait({ what, reason, leftMs }: WaitEvent): void {
    if (leftMs === null) {
      this.waiting = undefined;
      this.erase();
      return;
    }
    const left = seconds(leftMs / 1_000);
    const because = reason === null ? '' : ` (${reason})`;
    if (this.options.live) this.draw(`Waiting for ${what}, giving up in ${left}${because}`);
    else if (this.options.notes && this.waiting !== what) {
      this.stream.write(`Waiting for ${what}, ${left} at most${because}.\n`);
    }
    this.waiting = what;
  }

  private draw(text: string): void {
    this.drawn = true;
    this.stream.write(ERASE_LINE + text.slice(0, columnsOf(this.stream) - 1));
  }

  /** Several models are asked at once; their counts add up. */
  private together(event: CallsEvent): CallsEvent {
    this.calls.set(event.model, event);
    const all = [...this.calls.values()].filter(({ claim }) => claim === event.claim);
    const sum = (count: (one: CallsEvent) => number) => all.reduce((total, one) => total + count(one), 0);
    return {
      ...event,
      done: sum(({ done }) => done),
      total: sum(({ total }) => total),
      usable: sum(({ usable }) => usable),
      calls: sum(({ calls }) => calls),
      retried: sum(({ retried }) => retried),
      costUsd: all.every(({ costUsd }) => costUsd === null) ? null : sum(({ costUsd }) => costUsd ?? 0),
    };
  }

  /** Removes the line, so that what follows starts on a clean one. */
  end(): void {
    this.erase();
  }

  private erase(): void {
    if (!this.drawn) return;
    this.stream.write(ERASE_LINE);
    this.drawn = false;
  }
}

/** One progress event in words: counts, rate, time left and spend. */
export function describe(event: Exclude<ProgressEvent, { type: 'note' | 'wait' }>): string {
  const perSecond = event.elapsedMs > 0 ? (event.done * 1_000) / event.elapsedMs : 0;
  const left = perSecond > 0 ? `, ${seconds((event.total - event.done) / perSecond)} left` : '';
  const pace = `${rate(perSecond)}${left}`;
  if (event.type === 'progress') return `${event.what} ${event.done}/${event.total}, ${pace}`;
  const calls = `${event.calls} calls${event.retried > 0 ? `, ${event.retried} retried` : ''}`;
  const cost = event.costUsd === null ? '' : `, $${event.costUsd.toFixed(4)}`;
  if (event.type === 'sweep') return `runs ${event.ended}/${event.total}, ${calls}, ${pace}${cost}`;
  return `${event.done}/${event.total} ${event.what ?? 'samples'}, ${event.usable} usable, ${calls}, ${pace}${cost}`;
}

function rate(perSecond: number): string {
  return `${perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(1)}/s`;
}

function seconds(value: number): string {
  return value >= 90 ? `${Math.round(value / 60)} min` : `${Math.ceil(value)} s`;
}
