/**
 * Runs generators side by side and yields what each yields, as it comes. None of them runs ahead of the consumer by
 * more than one value.
 * @throws what the first of them throws; the others are ended before.
 */
export async function* sideBySide<T>(sources: readonly AsyncGenerator<T>[]): AsyncGenerator<T> {
  const advance = async (source: AsyncGenerator<T>) => ({ source, step: await source.next() });
  const steps = new Map(sources.map((source) => [source, advance(source)]));
  try {
    while (steps.size > 0) {
      const { source, step } = await Promise.race(steps.values());
      if (step.done === true) {
        steps.delete(source);
        continue;
      }
      steps.set(source, advance(source));
      yield step.value;
    }
  } finally {
    await Promise.allSettled([...steps.values(), ...sources.map((source) => source.return(undefined))]);
  }
}
