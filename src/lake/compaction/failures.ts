import { diskHint } from '../../base/disk-hints.js';
import { HxError, messageOf } from '../../base/errors.js';

/** Another compaction has replaced the manifest. */
export function overtaken(environment: string): HxError {
  return new HxError('failed', `Another machine is compacting ${environment} too, and was faster.`, {
    hint: 'Nothing is lost. Run it again when the other is done.',
    facts: { overtaken: true },
  });
}

export function isOvertaken(error: unknown): boolean {
  return error instanceof HxError && error.facts?.['overtaken'] === true;
}

/** A live file is not there. */
export function lost(environment: string, name: string): HxError {
  return new HxError('failed', `The file ${environment}/${name} is gone, so its day cannot be compacted.`, {
    hint: 'Restore it from a backup of the lake; hx export verify names the checks that are missing.',
  });
}

/** A compacted file does not say which runs it holds. */
export function unreadable(name: string, error: unknown): HxError {
  return new HxError('failed', `Cannot read ${name} of the lake: ${messageOf(error)}.`, {
    cause: error,
    hint: 'Restore it from a backup, or make that part of the lake anew as docs/exports.md says.',
  });
}

/** DuckDB cannot merge the files of a day. */
export function unmergeable(environment: string, day: string, error: unknown): HxError {
  return new HxError('failed', `Cannot compact ${environment} ${day}: ${messageOf(error).split('\n')[0]}`, {
    cause: error,
    hint: `The files of that day are as they were, and readable if they were. ${diskHint(error) ?? 'Run it again when it is mended.'}`,
  });
}
