import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type HxError, toHxError } from '../base/errors.js';

/** Problem details (RFC 9457) with the same code as the command line's --json. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly hint?: string | undefined;
  readonly facts?: unknown;
}

/** Answers with a problem document. */
export function respondProblem(
  c: Context,
  status: number,
  code: string,
  detail: string,
  hint?: string,
): Response {
  return respond(c, { type: 'about:blank', title: code.replaceAll('_', ' '), status, detail, code, hint });
}

/** Answers with the problem document of anything thrown. */
export function respondError(c: Context, thrown: unknown): Response {
  const problem = problemOf(toHxError(thrown));
  if (problem.status === 503) c.header('retry-after', '5');
  return respond(c, problem);
}

/** An error as a problem document; a defect of ours shows no message of its own. */
export function problemOf({ code, httpStatus: status, message, hint, facts }: HxError): Problem {
  const common = { type: 'about:blank', title: code.replaceAll('_', ' '), status, code } as const;
  if (code === 'bug') return { ...common, detail: 'Unexpected error; see the server log.' };
  return { ...common, detail: message, hint, facts };
}

function respond(c: Context, problem: Problem): Response {
  return c.body(JSON.stringify(problem), problem.status as ContentfulStatusCode, {
    'content-type': 'application/problem+json',
  });
}
