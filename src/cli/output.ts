import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { HxError, messageOf, systemCode } from '../base/errors.js';
import { pendingPath, removePending } from '../base/left-overs.js';
import type { Rendering, Shown } from './render/formats/result.js';

/** Takes text, and says when it is ready for more. */
export type WriteText = (text: string) => Promise<void>;

/** Writes every piece of a rendering in order and returns what was shown. */
export async function drainRendering(rendering: Rendering, write: WriteText): Promise<Shown> {
  try {
    for (;;) {
      const next = await rendering.next();
      if (next.done) return next.value;
      await write(next.value);
    }
  } finally {
    // Whatever stopped the writing, the query behind the rendering must end too.
    await rendering.return({ shown: 0, rows: undefined, cut: false });
  }
}

/**
 * Writes to a stream at the pace of its reader, so that a slow one holds the query up instead of filling memory.
 * Rejects with the signal's reason once it is aborted.
 */
export function streamWriter(stream: Writable, signal: AbortSignal): WriteText {
  return async (text) => {
    signal.throwIfAborted();
    if (stream.write(text)) return;
    await new Promise<void>((resolve, reject) => {
      const settle = () => {
        stream.removeListener('drain', settle);
        stream.removeListener('close', settle);
        stream.removeListener('error', settle);
        signal.removeEventListener('abort', settle);
        if (signal.aborted) reject(signal.reason);
        else resolve();
      };
      for (const event of ['drain', 'close', 'error']) stream.once(event, settle);
      signal.addEventListener('abort', settle, { once: true });
    });
  };
}

/**
 * Lets `fill` write a file that appears under its name only when it is whole; on failure nothing is left, and of
 * a killed process nothing once the next file is written there.
 * @throws HxError `failed` when the disk refuses, and whatever `fill` throws.
 */
export async function writeFileWhole<T>(path: string, fill: (write: WriteText) => Promise<T>): Promise<T> {
  removePending(dirname(path));
  const pending = pendingPath(path);
  const file = await open(pending, 'wx').catch((error: unknown) => {
    throw cannotWrite(path, error);
  });
  try {
    const result = await fill(async (text) => {
      await file.writeFile(text).catch((error: unknown) => {
        throw cannotWrite(path, error);
      });
    });
    await file.sync();
    await file.close();
    await rename(pending, path).catch((error: unknown) => {
      throw cannotWrite(path, error);
    });
    return result;
  } catch (error) {
    await file.close();
    await rm(pending, { force: true });
    throw error;
  }
}

function cannotWrite(path: string, cause: unknown): HxError {
  // Node repeats the code before and the path after the words; the path there is the temporary one.
  const reason = messageOf(cause)
    .replace(/^[A-Z]+: /, '')
    .replace(/, \w+( '.*)?$/s, '');
  const isFull = ['ENOSPC', 'EDQUOT'].includes(systemCode(cause) ?? '');
  return new HxError('failed', `Cannot write ${path}: ${reason}.`, {
    cause,
    hint: isFull
      ? 'Free some space there, or write to another disk.'
      : 'Choose a folder that exists and that you may write to.',
  });
}
