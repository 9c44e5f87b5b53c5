import { HxError, systemCode } from '../../base/errors.js';
import type { EnvironmentTarget } from '../target.js';
import { CONNECTION_CODES, translateDatabaseError } from '../translate.js';

const READ_ONLY_TRANSACTION = '25006';
const UNDECLARED = 'HX001';
/** Enough of a long line to see the place in it. */
const LINE_SHOWN = 100;

/** What the server says about a statement. */
interface ServerError extends Error {
  readonly position?: string;
  readonly hint?: string;
  readonly detail?: string;
}

/** Turns what a statement failed of into an error that shows the place in it. */
export function statementError(thrown: unknown, statement: string, target: EnvironmentTarget): unknown {
  const state = systemCode(thrown) ?? '';
  if (!isServerError(thrown) || CONNECTION_CODES.has(state)) {
    return translateDatabaseError(thrown, target.errors);
  }
  const { message, detail, hint, position } = thrown;
  const place = position === undefined ? '' : `\n${placeOf(statement, Number(position))}`;
  const details = detail === undefined ? '' : `\n${detail}`;
  const facts = { sqlstate: state };
  const options = { cause: thrown, hint: hintOf(thrown, target) ?? hint, facts };
  const refused = state === READ_ONLY_TRANSACTION || state.startsWith('HX') || state === '42501';
  return new HxError(refused ? 'refused' : 'sql', `${message}${details}${place}`, options);
}

function isServerError(thrown: unknown): thrown is ServerError {
  return thrown instanceof Error && thrown.name === 'PostgresError';
}

function hintOf(error: ServerError, { environment }: EnvironmentTarget): string | undefined {
  const state = systemCode(error);
  const undeclared = state === UNDECLARED && /did not declare/.test(error.message);
  if (state !== READ_ONLY_TRANSACTION && !undeclared) return undefined;
  if (environment !== 'production') return 'This session only reads; without --read-only it writes.';
  return 'This session only reads. hx db psql --env production --write opens one that writes.';
}

/** The line of a place, counted in characters from 1, with a mark below it. */
function placeOf(statement: string, position: number): string {
  const before = [...statement].slice(0, position - 1);
  const start = before.lastIndexOf('\n') + 1;
  const number = before.filter((character) => character === '\n').length + 1;
  const column = before.length - start;
  const line = [...(statement.split('\n')[number - 1] ?? '')];
  const from = Math.max(0, column - LINE_SHOWN / 2);
  const shown = line
    .slice(from, from + LINE_SHOWN)
    .join('')
    .replaceAll('\t', ' ');
  const label = `LINE ${number}: ${from > 0 ? '...' : ''}`;
  return `${label}${shown}\n${' '.repeat(label.length + column - from)}^`;
}
