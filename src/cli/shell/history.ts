import { appendFile, chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HxError, messageOf, systemCode } from '../../base/errors.js';
import { pendingPath, removePending } from '../../base/left-overs.js';

/** Statements kept; a file twice as long is cut back to this when it is read. */
const KEPT = 1_000;
/** Statements may hold what nobody else should read. */
const PRIVATE = 0o600;

/** Statements of this and earlier sessions, a JSON string a line, so that one of many lines stays whole. */
export class History {
  private readonly path: string;
  private readonly entries: string[];
  private writable = true;

  private constructor(path: string, entries: string[]) {
    this.path = path;
    this.entries = entries;
  }

  /**
   * Reads the history; one that is missing is empty, and lines that are no JSON string are passed over.
   * @throws HxError `failed` when it cannot be read.
   */
  static async open(path: string): Promise<History> {
    const lines = await readLines(path);
    const entries = lines.flatMap(parseEntry);
    // Where the file cannot be written, the first statement says so.
    if (lines.length > 2 * KEPT) await rewrite(path, entries.slice(-KEPT)).catch(() => {});
    return new History(path, entries.slice(-KEPT));
  }

  /** A history of this session alone. */
  static ofSession(): History {
    const history = new History('', []);
    history.writable = false;
    return history;
  }

  get length(): number {
    return this.entries.length;
  }

  /** The entry by age: 0 is the newest. */
  at(age: number): string | undefined {
    return this.entries.at(-1 - age);
  }

  /**
   * Adds a statement, unless it repeats the one before it. When the file cannot be written, the session's own
   * entries are still kept.
   * @throws HxError `failed`, once, when the file cannot be written.
   */
  async add(statement: string): Promise<void> {
    if (statement.trim() === '' || statement === this.at(0)) return;
    this.entries.push(statement);
    if (!this.writable) return;
    try {
      await mkdir(dirname(this.path), { recursive: true });
      await appendFile(this.path, `${JSON.stringify(statement)}\n`, { mode: PRIVATE });
      await chmod(this.path, PRIVATE);
    } catch (error) {
      this.writable = false;
      throw new HxError('failed', `Cannot write the history ${this.path}: ${messageOf(error)}.`, {
        cause: error,
        hint: 'What you enter from here on is remembered until you leave.',
      });
    }
  }
}

async function readLines(path: string): Promise<string[]> {
  try {
    return (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw new HxError('failed', `Cannot read the history ${path}: ${messageOf(error)}.`, {
      cause: error,
      hint: 'It is left alone: what you enter is remembered until you leave.',
    });
  }
}

function parseEntry(line: string): string[] {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'string' ? [entry] : [];
  } catch {
    return [];
  }
}

async function rewrite(path: string, entries: readonly string[]): Promise<void> {
  removePending(dirname(path));
  const pending = pendingPath(path);
  await writeFile(pending, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''), { mode: PRIVATE });
  await rename(pending, path);
}
