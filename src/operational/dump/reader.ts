import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { HxError, messageOf, systemCode } from '../../base/errors.js';
import { Digest, type TableDigest } from './digest.js';
import {
  type DumpHeader,
  type DumpTrailer,
  damaged,
  END_OF_ROWS,
  FORMAT,
  isHeader,
  isTrailer,
  SEAL_BYTES,
  VERSION,
} from './format.js';

const LINE_FEED = 0x0a;
const AFTER_A_ROW = Buffer.concat([Buffer.from('\n'), END_OF_ROWS]);
/** A header names every object of a schema, about 100 bytes each. */
const LONGEST_LINE_BYTES = 32 * 1_024 * 1_024;

/** Reads a dump from its beginning to its end, once, and notices whatever is not as it was written. */
export class DumpReader {
  private readonly path: string;
  private readonly pieces: AsyncIterator<Buffer>;
  private readonly whole = createHash('sha256');
  private pending: Buffer = Buffer.alloc(0);
  private readonly digests: TableDigest[] = [];

  constructor(path: string) {
    this.path = path;
    const file = createReadStream(path);
    const unzipped = createGunzip();
    file.on('error', (error) => unzipped.destroy(error));
    unzipped.on('close', () => file.destroy());
    this.pieces = (file.pipe(unzipped) as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  /** @throws HxError `usage` for a file that cannot be opened or is no dump, `conflict` for a damaged one. */
  async header(): Promise<DumpHeader> {
    const line = await this.line('its first line');
    this.whole.update(line).update('\n');
    const value = this.parse(line, 'its first line');
    if (isHeader(value)) return value;
    const { format, version } = Object(value) as { format?: unknown; version?: unknown };
    if (format !== FORMAT) throw noDump(this.path);
    if (version === VERSION) throw damaged(this.path, 'its first line lacks something');
    throw new HxError('conflict', `${this.path} is a dump of version ${version}; this hx reads ${VERSION}.`, {
      hint: 'Restore it with the version of hx that wrote it.',
    });
  }

  /** The COPY lines of the next table. @throws HxError `conflict`. */
  async *rows(table: DumpHeader['tables'][number]): AsyncGenerator<Buffer, void, undefined> {
    const digest = new Digest();
    for await (const piece of this.untilEnd()) {
      this.whole.update(piece);
      digest.add(piece);
      yield piece;
    }
    this.whole.update(END_OF_ROWS);
    const found = digest.of(table.name);
    if (found.rows !== table.rows) {
      throw damaged(this.path, `${table.name} has ${found.rows} rows instead of ${table.rows}`);
    }
    this.digests.push(found);
  }

  private async *untilEnd(): AsyncGenerator<Buffer, void, undefined> {
    while (this.pending.length < END_OF_ROWS.length) await this.more('the middle of a table');
    if (this.pending.subarray(0, END_OF_ROWS.length).equals(END_OF_ROWS)) {
      this.pending = this.pending.subarray(END_OF_ROWS.length);
      return;
    }
    for (;;) {
      const end = this.pending.indexOf(AFTER_A_ROW);
      if (end >= 0) {
        yield this.pending.subarray(0, end + 1);
        this.pending = this.pending.subarray(end + AFTER_A_ROW.length);
        return;
      }
      // The mark may be half here.
      const certain = this.pending.length - AFTER_A_ROW.length + 1;
      if (certain > 0) {
        yield this.pending.subarray(0, certain);
        this.pending = this.pending.subarray(certain);
      }
      await this.more('the middle of a table');
    }
  }

  /** The last line, once all rows were read; then nothing may follow. @throws HxError `conflict`. */
  async trailer(): Promise<DumpTrailer> {
    const line = await this.line('its last line');
    const sha256 = this.whole.copy().update(line.subarray(0, -SEAL_BYTES)).digest('hex');
    const value = this.parse(line, 'its last line');
    if (!isTrailer(value)) throw damaged(this.path, 'its last line lacks something');
    if ((await this.next()) !== undefined || this.pending.length > 0) {
      throw damaged(this.path, 'something follows its last line');
    }
    for (const [index, found] of this.digests.entries()) {
      const written = value.tables[index];
      if (written?.name !== found.name || written.sha256 !== found.sha256) {
        throw damaged(this.path, `the rows of ${found.name} are not those that were dumped`);
      }
    }
    if (value.sha256 !== sha256 || value.tables.length !== this.digests.length) {
      throw damaged(this.path, 'it is not as it was written');
    }
    return value;
  }

  /** Lets go of the file. */
  async close(): Promise<void> {
    await this.pieces.return?.();
  }

  private async line(what: string): Promise<Buffer> {
    let end = this.pending.indexOf(LINE_FEED);
    while (end < 0) {
      if (this.pending.length > LONGEST_LINE_BYTES) throw noDump(this.path);
      const from = this.pending.length;
      await this.more(what);
      end = this.pending.indexOf(LINE_FEED, from);
    }
    const line = this.pending.subarray(0, end);
    this.pending = this.pending.subarray(end + 1);
    return line;
  }

  private parse(line: Buffer, what: string): unknown {
    try {
      return JSON.parse(line.toString('utf8'));
    } catch (error) {
      throw damaged(this.path, `${what} is not readable`, error);
    }
  }

  private async more(where: string): Promise<void> {
    const piece = await this.next();
    if (piece === undefined) throw damaged(this.path, `it ends in ${where}`);
    this.pending = this.pending.length === 0 ? piece : Buffer.concat([this.pending, piece]);
  }

  private async next(): Promise<Buffer | undefined> {
    try {
      const { done, value } = await this.pieces.next();
      return done === true ? undefined : value;
    } catch (error) {
      const code = systemCode(error) ?? '';
      if (code === 'Z_BUF_ERROR') throw damaged(this.path, 'it is cut off', error);
      if (code === 'Z_DATA_ERROR' && messageOf(error).includes('header')) throw noDump(this.path, error);
      if (code.startsWith('Z_')) throw damaged(this.path, 'its compression is damaged', error);
      throw new HxError('usage', `Cannot read ${this.path}: ${messageOf(error)}.`, {
        cause: error,
        hint: 'Give the path of a file that hx db dump wrote.',
      });
    }
  }
}

function noDump(path: string, cause?: unknown): HxError {
  return new HxError('usage', `${path} is no dump of hx.`, {
    cause,
    hint: 'Give the path of a file that hx db dump wrote.',
  });
}
