/** The name that a mistyped one most likely means: one that it begins, or one with few letters changed. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const completed = names.find((candidate) => name !== '' && candidate.startsWith(name));
  if (completed !== undefined) return completed;
  const ranked = names.map((candidate) => ({ candidate, distance: editDistance(name, candidate) }));
  const [best] = ranked.sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= best.candidate.length / 2 ? best.candidate : undefined;
}

/** Levenshtein's distance, in characters. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [row, left] of [...a].entries()) {
    const current = [row + 1];
    for (const [column, right] of [...b].entries()) {
      const substituted = (previous[column] ?? 0) + (left === right ? 0 : 1);
      current.push(Math.min(substituted, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
