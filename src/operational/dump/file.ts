import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { link, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip, type Gzip } from 'node:zlib';
import { makeFolders } from '../../base/data-folder.js';
import { HxError, messageOf, systemCode } from '../../base/errors.js';
import { pendingPath, removePending } from '../../base/left-overs.js';

/** A dump holds who uses hx and their mail. */
const PRIVATE = 0o600;

/** A compressed file that gets its name only once it is whole and on the disk. */
export class DumpFile {
  private readonly path: string;
  private readonly pending: string;
  private readonly gzip: Gzip = createGzip();
  private readonly written: Promise<void>;
  private readonly hash = createHash('sha256');

  private constructor(path: string, pending: string) {
    this.path = path;
    this.pending = pending;
    this.written = pipeline(this.gzip, createWriteStream(pending, { flush: true }));
    this.written.catch(() => undefined);
  }

  /**
   * Also removes what killed dumps left unfinished beside it: nobody expects people's mail to stay in a hidden file.
   * @throws HxError `usage` when something of that name is there already, `failed` when it cannot be written.
   */
  static async create(path: string): Promise<DumpFile> {
    if ((await stat(path).catch(() => undefined)) !== undefined) throw isThere(path);
    const pending = pendingPath(path);
    try {
      makeFolders(dirname(path));
      removePending(dirname(path));
      await (await open(pending, 'wx', PRIVATE)).close();
      return new DumpFile(path, pending);
    } catch (error) {
      throw cannotWrite(path, error);
    }
  }

  /** SHA-256 of what was written so far, before compression, hex. */
  get sha256(): string {
    return this.hash.copy().digest('hex');
  }

  async write(bytes: Buffer | string): Promise<void> {
    this.hash.update(bytes);
    if (this.gzip.write(bytes)) return;
    await Promise.race([once(this.gzip, 'drain'), this.written]).catch((error: unknown) => {
      throw cannotWrite(this.path, error);
    });
  }

  /** Ends the file and gives it its name. Returns its size in bytes. @throws HxError as `create`. */
  async publish(): Promise<number> {
    try {
      this.gzip.end();
      await this.written;
      const { size } = await stat(this.pending);
      await giveName(this.pending, this.path);
      return size;
    } catch (error) {
      throw error instanceof HxError ? error : cannotWrite(this.path, error);
    }
  }

  /** Leaves nothing of a file that was not published. */
  async discard(): Promise<void> {
    this.gzip.destroy();
    await this.written.catch(() => undefined);
    await rm(this.pending, { force: true });
  }
}

/** Unlike renaming, linking fails where another dump took the name meanwhile. */
async function giveName(pending: string, path: string): Promise<void> {
  try {
    await link(pending, path);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw isThere(path);
    // Some file systems have no links.
    return rename(pending, path);
  }
  await rm(pending);
}

function isThere(path: string): HxError {
  return new HxError('usage', `${path} is there already, and a dump replaces nothing.`, {
    hint: 'Choose another name with -o, or remove that one first.',
  });
}

function cannotWrite(path: string, cause: unknown): HxError {
  // Node repeats the code before and the path after the words; the path there is the temporary one.
  const reason = messageOf(cause)
    .replace(/^[A-Z]+: /, '')
    .replace(/, \w+( '.*)?$/s, '');
  return new HxError('failed', `Cannot write ${path}: ${reason}.`, {
    cause,
    hint: 'Choose another place with -o.',
  });
}
