import { type HxError, messageOf } from '../../base/errors.js';
import { escapeControls } from './escape.js';
import type { Paint } from './style.js';
import { displayWidth } from './width.js';

/** An error as a person reads it: what happened, then what to do. The trace only with HX_DEBUG=1. */
export function renderError(error: HxError, paint: Paint, debug: boolean): string {
  const lines = [`${paint('red', 'hx:')} ${error.message}`, ...drawPlace(error.facts, paint)];
  if (error.hint !== undefined) lines.push(`    ${paint('cyan', error.hint)}`);
  if (debug) lines.push(traceOf(error));
  return `${lines.join('\n')}\n`;
}

/** The line of a statement that is wrong, with a caret below the place, where the error tells them. */
function drawPlace(facts: HxError['facts'], paint: Paint): string[] {
  const { excerpt, caret } = facts ?? {};
  if (typeof excerpt !== 'string' || typeof caret !== 'number') return [];
  const before = ' '.repeat(displayWidth(escapeControls(excerpt.slice(0, caret))));
  return [`    ${escapeControls(excerpt)}`, `    ${before}${paint('red', '^')}`];
}

/** The same error as one line of JSON. */
export function renderErrorJson(error: HxError): string {
  return `${JSON.stringify(errorToJson(error))}\n`;
}

/** An error as a JSON value. */
export function errorToJson({ code, message, hint, facts, exitCode }: HxError) {
  return { error: { code, message, hint, facts, exit_code: exitCode } };
}

function traceOf(error: Error): string {
  const cause =
    error.cause instanceof Error ? `\nCaused by: ${traceOf(error.cause)}` : causeLine(error.cause);
  return `${error.stack ?? error.message}${cause}`;
}

function causeLine(cause: unknown): string {
  return cause === undefined ? '' : `\nCaused by: ${messageOf(cause)}`;
}
