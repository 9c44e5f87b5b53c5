export const sum = (values: readonly (number | string | null)[]) => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce<number>((total, value) => total + Number(value), 0);
};
export const total = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
export const mean = (values: readonly number[]) => total(values) / values.length;
export const quantile = (values: readonly number[], share: number) => {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(place)] ?? Number.NaN, sorted[Math.ceil(place)] ?? Number.NaN];
  return low + (high - low) * (place - Math.floor(place));
};
export const median = (values: readonly number[]) => quantile(values, 0.5);
export const probability = (logit: number) => 1 / (1 + Math.exp(-logit));
/** Ends of 0 and 1 stand for a millionth off them. */
export const logitOf = (p: number) => Math.log(Math.max(p, 1e-6) / (1 - Math.min(p, 1 - 1e-6)));
export const dayOf = (at: Date) => at.toISOString().slice(0, 10);
export const mondayOf = (at: Date) => {
  const midnight = Math.floor(at.getTime() / 86_400_000);
  // 1970 began on a Thursday.
  return dayOf(new Date((midnight - ((midnight + 3) % 7)) * 86_400_000));
};

/** Rows that agree in some columns. */
export function grouped<T>(rows: readonly T[], key: (row: T) => unknown): [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const row of rows) {
    const text = JSON.stringify(key(row));
    const group = groups.get(text);
    if (group === undefined) groups.set(text, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}
