import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip, type Gzip } from 'node:zlib';
import { makeFolders } from '../../base/data-folder.js';
import { HxError, messageOf } from '../../base/errors.js';

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

  /** @throws HxError `usage` when something of that name is there already, `failed` when it cannot be written. */
  static async create(path: string): Promise<DumpFile> {
    if ((await stat(path).catch(() => undefined)) !== undefined) {
      throw new HxError('usage', `${path} is there already, and a dump replaces nothing.`, {
        hint: 'Choose another name with -o, or remove that one first.',
      });
    }
    const pending = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.tmp`);
    try {
      makeFolders(dirname(path));
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

  /** Ends the file and gives it its name. Returns its size in bytes. */
  async publish(): Promise<number> {
    try {
      this.gzip.end();
      await this.written;
      const { size } = await stat(this.pending);
      await rename(this.pending, this.path);
      return size;
    } catch (error) {
      throw cannotWrite(this.path, error);
    }
  }

  /** Leaves nothing of a file that was not published. */
  async discard(): Promise<void> {
    this.gzip.destroy();
    await this.written.catch(() => undefined);
    await rm(this.pending, { force: true });
  }
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
