import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { HxError, systemCode } from '../base/errors.js';
import { escapeGlob } from './catalog.js';

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;
const WILDCARD = /[*?[]/;

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

  contains(path: string): boolean {
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
    for (const place of this.places) {
      const link = SCHEME.test(place) ? undefined : await linkedFolder(place);
      if (link === undefined) continue;
      throw new HxError('refused', `A pattern could lead out of the lake, through the link ${link}.`, {
        hint: 'Remove that link, or name the files without *, ? and [.',
      });
    }
  }
}

function absolute(path: string): string {
  return SCHEME.test(path) ? path.replace(/\/+$/, '') : resolve(path);
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
