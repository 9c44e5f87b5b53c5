import type { Definition } from 'clipanion';
import { HxError } from '../base/errors.js';

/**
 * Refuses an option that was given several values where it takes one: the parser would keep the last without a word.
 * @param command the parsed command; an option that takes several values has them in a list there.
 * @throws HxError `usage` naming the option and its values.
 */
export function refuseRepeatedOptions(
  argv: readonly string[],
  options: readonly Definition['options'][number][],
  command: object,
): void {
  const lists = Object.values(command).filter((value): value is unknown[] => Array.isArray(value));
  for (const { definition } of options) {
    const [names = '', takesValue] = definition.split(' ');
    if (takesValue === undefined) continue;
    const nameSet = names.split(',');
    const values = [...new Set(valuesOf(nameSet, argv))];
    if (values.length < 2 || lists.some((list) => values.every((value) => list.includes(value)))) continue;
    throw new HxError('usage', `${nameSet.join(' or ')} is given as ${values.join(' and as ')}.`, {
      hint: 'Give it once.',
    });
  }
}

/** The values of an option, which follow it or its equals sign. */
function valuesOf(names: readonly string[], argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  return words.flatMap((word, index) => {
    const [name = '', ...rest] = word.split('=');
    if (!names.includes(name)) return [];
    return rest.length > 0 ? rest.join('=') : (words[index + 1] ?? []);
  });
}
