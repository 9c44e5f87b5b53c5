import { readFile } from 'node:fs/promises';
import { messageOf, systemCode } from './errors.js';

/**
 * Reads a file of the user's as UTF-8; a byte order mark is left out.
 * @throws what the file system throws, or an Error that says that it is no text; `whyUnreadable` puts both into words.
 */
export async function readTextFile(path: string): Promise<string> {
  return decodeText(await readFile(path));
}

/** @throws Error for bytes that are not UTF-8 text: an archive, an image, another encoding. */
export function decodeText(bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Error('it is not UTF-8 text', { cause: error });
  }
  if (text.includes('\u0000')) throw new Error('it is not UTF-8 text');
  return text;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'reading it is not permitted',
};

/** Why a file could not be read, in words that follow a colon. */
export function whyUnreadable(error: unknown): string {
  return REASONS[systemCode(error) ?? ''] ?? messageOf(error);
}
