import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { HxError, systemCode } from '../../base/errors.js';
import { escapeGlob } from '../catalog/catalog.js';
import { hasScheme } from '../files/partition.js';

const WILDCARD = /[*?[]/;
/** A part of a path that leads up or nowhere. DuckDB resolves them when it checks a path, a storage takes them as they are. */
const DOTS = /(?:^|\/)\.{1,2}(?:\/|$)/;

/**
 * The places that a statement may read: folders of this machine, or `scheme://` prefixes. Everything that reads
 * by name is held against this one list, here before DuckDB sees it and by DuckDB's own `allowed_directories`.
 */
export class LakeRoots {
  readonly places: readonly string[];

  constructor(places: readonly string[]) {
    this.places = places.map(absolute);
  }

  /** What DuckDB gets as `allowed_directories`. */
  directories(): string[] {
    // A pattern is checked like a path before it is expanded; each file that it finds is checked again.
    return [...new Set(this.places.flatMap((place) => [place, escapeGlob(place)]))];
  }

  /** Whether the lake is in a storage. */
  get areRemote(): boolean {
    return this.places.some(hasScheme);
  }

  /** Whether a name in the place of a table may be opened as a file, which DuckDB's own check would not stop. */
  mayBeFile(name: string): boolean {
    return this.contains(name) || (this.areRemote && name.includes(':/'));
  }

  contains(path: string): boolean {
    if (hasScheme(path) && DOTS.test(path)) return false;
    const wanted = absolute(path);
    return this.directories().some(
      (place) => wanted === place || wanted.startsWith(place.endsWith('/') ? place : `${place}/`),
    );
  }

  /**
   * Lets a path through that lies in the lake.
   * @throws HxError `refused` for any other, and for a pattern while a link in the lake leads to another folder:
   * DuckDB refuses the files behind it, but would name them.
   */
  async refuseOutside(path: string): Promise<void> {
    if (!this.contains(path)) {
      throw new HxError('refused', `${path} is not in the lake.`, {
        hint: `A query reads the lake (${this.places.join(', ')}) and nothing else on this machine.`,
      });
    }
    if (!WILDCARD.test(path)) return;
    if (this.areRemote) {
      throw new HxError('refused', `${path} is a pattern, which finds nothing in a lake on S3.`, {
        hint: 'Read the views, or name the files without *, ? and [.',
      });
    }
    for (const place of this.places) {
      const link = await linkedFolder(place);
      if (link === undefined) continue;
      throw new HxError('refused', `A pattern could lead out of the lake, through the link ${link}.`, {
        hint: 'Remove that link, or name the files without *, ? and [.',
      });
    }
  }
}

function absolute(path: string): string {
  return hasScheme(path) ? path.replace(/\/+$/, '') : resolve(path);
}

/** The first symbolic link below a folder that leads to a folder. */
async function linkedFolder(folder: string): Promise<string | undefined> {
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const found = await linkedFolder(path);
      if (found !== undefined) return found;
    } else if (entry.isSymbolicLink() && (await leadsToFolder(path))) {
      return path;
    }
  }
  return undefined;
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function leadsToFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
