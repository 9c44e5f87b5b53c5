/**
 * What a validator found, as sentences that begin with the path of the field, without the dot that stands for the
 * whole: `k: Expected ...`; for the whole value without any path.
 */
export function fieldProblems(errors: readonly string[]): string[] {
  return errors.map((text) => text.replace(/^\.(?:: )?/, ''));
}
