/** Transactions `[lo, hi)` in decimal digits, as JSON has no numbers of 64 bits. */
export type Span = readonly [lo: string, hi: string];

interface Range {
  readonly lo: bigint;
  readonly hi: bigint;
}

/** The same transactions in the fewest spans, in their order. */
export function mergeSpans(ranges: readonly Range[]): Span[] {
  const merged: { lo: bigint; hi: bigint }[] = [];
  for (const { lo, hi } of [...ranges].sort((one, other) => (one.lo < other.lo ? -1 : 1))) {
    const last = merged.at(-1);
    if (last === undefined || lo > last.hi) merged.push({ lo, hi });
    else if (hi > last.hi) last.hi = hi;
  }
  return merged.map(({ lo, hi }) => [String(lo), String(hi)]);
}

export function rangesOf(spans: readonly Span[]): Range[] {
  return spans.map(([lo, hi]) => ({ lo: BigInt(lo), hi: BigInt(hi) }));
}

/** Whether merged spans hold every transaction of a range. */
export function isWithin(spans: readonly Span[], { lo, hi }: Range): boolean {
  return rangesOf(spans).some((span) => span.lo <= lo && hi <= span.hi);
}
