const MINUTE_MS = 60_000;

/** A share of a minute's allowance. Its amount may be corrected while it counts. */
export interface RateEntry {
  readonly atMs: number;
  amount: number;
}

/** At most so much within any minute, not just on average: providers count by a window that we do not know. */
export class RateWindow {
  private readonly perMinute: number;
  private entries: RateEntry[] = [];
  private used = 0;

  /** @param perMinute what any minute may hold; Infinity for no limit. */
  constructor(perMinute: number) {
    this.perMinute = perMinute;
  }

  /**
   * The earliest time at which an amount fits, milliseconds of the clock that tells `nowMs`. More than a whole
   * minute's allowance fits once everything else has left the window.
   */
  readyMs(amount: number, nowMs: number): number {
    this.forget(nowMs);
    let excess = this.used + amount - this.perMinute;
    let readyMs = nowMs;
    for (const entry of this.entries) {
      if (excess <= 0) break;
      excess -= entry.amount;
      readyMs = entry.atMs + MINUTE_MS;
    }
    return Math.max(nowMs, readyMs);
  }

  take(amount: number, nowMs: number): RateEntry {
    const entry = { atMs: nowMs, amount };
    if (this.perMinute !== Number.POSITIVE_INFINITY) {
      this.entries.push(entry);
      this.used += amount;
    }
    return entry;
  }

  /** Replaces an estimated amount by the true one. */
  correct(entry: RateEntry, amount: number): void {
    if (!this.entries.includes(entry)) return;
    this.used += amount - entry.amount;
    entry.amount = amount;
  }

  private forget(nowMs: number): void {
    const kept = this.entries.findIndex(({ atMs }) => atMs + MINUTE_MS > nowMs);
    for (const { amount } of this.entries.splice(0, kept === -1 ? this.entries.length : kept)) {
      this.used -= amount;
    }
  }
}
