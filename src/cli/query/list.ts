import type { Paint } from '../render/style.js';

/** A ready query as a list shows it. */
export interface ListedQuery {
  readonly name: string;
  readonly question: string;
  readonly parameters: readonly { readonly name: string; readonly type: string; readonly default: string }[];
}

/** The ready queries: what each answers and which parameters it takes, with their defaults. */
export function renderQueryList(queries: readonly ListedQuery[], paint: Paint): string {
  return queries
    .map(({ name, question, parameters }) => {
      const lines = [paint('bold', `@${name}`), `    ${question}`];
      for (const parameter of parameters) {
        lines.push(paint('dim', `    --param ${parameter.name}=${parameter.default}   (${parameter.type})`));
      }
      return `${lines.join('\n')}\n`;
    })
    .join('');
}
