import { as, type StrictValidator } from 'typanion';
import { HxError } from '../base/errors.js';
import { fieldProblems } from '../base/field-problems.js';
import type { Context } from './context.js';

/**
 * One command's work, the same behind the terminal and behind HTTP. It returns data: it never prints, never
 * reads `process` and never exits.
 */
export interface Handler<Input, Result> {
  readonly name: string;
  readonly input: StrictValidator<unknown, Input>;
  run(input: Input, context: Context): Promise<Result>;
}

export function defineHandler<Input, Result>(handler: Handler<Input, Result>): Handler<Input, Result> {
  return handler;
}

/**
 * Validates once at the edge, then runs.
 * @throws HxError `usage` that names every field at fault, and whatever the handler throws.
 */
export async function runHandler<Input, Result>(
  handler: Handler<Input, Result>,
  input: unknown,
  context: Context,
): Promise<Result> {
  const { value, errors } = as(input, handler.input, { errors: true });
  if (errors !== undefined) {
    const problems = fieldProblems(errors);
    throw new HxError('usage', `${handler.name}: ${problems.join('; ')}`, {
      facts: { problems },
    });
  }
  return handler.run(value as Input, context);
}
