import { createHash } from 'node:crypto';

const LINE_FEED = 0x0a;

/** What a table holds: how many rows, and SHA-256 (hex) of its COPY lines in the dump's order. */
export interface TableDigest {
  readonly name: string;
  readonly rows: number;
  readonly sha256: string;
}

/** Counts and hashes the lines of one COPY. */
export class Digest {
  rows = 0;
  private readonly hash = createHash('sha256');

  add(piece: Buffer): void {
    this.hash.update(piece);
    for (let at = piece.indexOf(LINE_FEED); at >= 0; at = piece.indexOf(LINE_FEED, at + 1)) this.rows += 1;
  }

  of(name: string): TableDigest {
    return { name, rows: this.rows, sha256: this.hash.digest('hex') };
  }
}
