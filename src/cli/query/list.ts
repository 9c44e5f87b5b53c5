import type { QueryListing } from '../../handlers/query.js';
import type { Paint } from '../render/style.js';

/** The ready queries: what each answers, which parameters it takes with their defaults, and an example. */
export function renderQueryList(queries: readonly QueryListing[], paint: Paint): string {
  return queries
    .map(({ name, question, parameters, example }) => {
      const lines = [paint('bold', `@${name}`), `    ${question}`];
      for (const { name: parameter, type, default: fallback, meaning } of parameters) {
        const value = fallback === undefined ? `${parameter}=... (needed)` : `${parameter}=${fallback}`;
        lines.push(paint('dim', `    --param ${value}   ${meaning} (${type})`));
      }
      lines.push(paint('dim', `    ${example}`));
      return `${lines.join('\n')}\n`;
    })
    .join('');
}
