import { CATEGORIES, COMMANDS } from './commands/index.js';
import type { Paint } from './render/style.js';

/** The page that `hx` and `hx --help` print: every command on one line. */
export function renderHelp(paint: Paint): string {
  const width = Math.max(...COMMANDS.map(({ path }) => path.length));
  const lines = [`${paint('bold', 'hx')}: how strongly does a language model believe a claim`];
  for (const category of CATEGORIES) {
    lines.push('', paint('bold', category));
    for (const { path, category: own, description } of COMMANDS) {
      if (own === category) lines.push(`  hx ${path.padEnd(width)}  ${description}`);
    }
  }
  lines.push('', 'Options and examples of a command: hx COMMAND --help');
  return `${lines.join('\n')}\n`;
}

/** The same as JSON. */
export function helpJson(): string {
  const commands = COMMANDS.map(({ path, category, description }) => ({ path, category, description }));
  return `${JSON.stringify(commands)}\n`;
}
