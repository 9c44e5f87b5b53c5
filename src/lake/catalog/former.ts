import { HxError } from '../../base/errors.js';

/** Says that an environment of a lake keeps its records in a form of before the first release. */
export function formerLake(folder: string): HxError {
  return new HxError(
    'failed',
    `${folder} was written by an hx of before the first release, whose records this one cannot continue.`,
    {
      hint: 'Move that folder away, then run hx export checks and hx export research: they bring every row again. docs/exports.md',
    },
  );
}
