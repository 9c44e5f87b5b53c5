import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Database as Sqlite } from 'better-sqlite3';
import { makeFolders } from '../base/data-folder.js';
import { diskHint } from '../base/disk-hints.js';
import { HxError, messageOf } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
import { Connection } from './connection.js';
import { ResearchStore } from './store.js';

/** How long one process waits for another that is writing, before it gives up. */
const BUSY_TIMEOUT_MS = 10_000;

/**
 * Opens the research store `research.sqlite` in the data folder, making it on first use. A commit of answers
 * or results is on the disk before it returns (WAL, synchronous=FULL).
 * @throws HxError `unavailable` when the file cannot be opened, `conflict` when a newer hx made it.
 */
export async function openResearchStore(dataDir: string): Promise<ResearchStore> {
  const { default: Database } = await import('better-sqlite3');
  const path = storePath(dataDir);
  try {
    makeFolders(dirname(path));
    const sqlite = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    sqlite.pragma('journal_mode = WAL');
    sqlite.pragma('synchronous = FULL');
    sqlite.pragma('foreign_keys = ON');
    prepareSchema(sqlite, path);
    return new ResearchStore(new Connection(sqlite));
  } catch (error) {
    if (error instanceof HxError) throw error;
    throw new HxError('unavailable', `Cannot open the research store ${path}: ${messageOf(error)}`, {
      cause: error,
      hint:
        diskHint(error) ??
        'Check that HX_DATA_DIR names a folder you may write to, and that the file is an SQLite database.',
    });
  }
}

/** The version of the SQLite that is built in; throws where the native module does not load. */
export async function sqliteVersion(): Promise<string> {
  const { default: Database } = await import('better-sqlite3');
  const sqlite = new Database(':memory:');
  try {
    return String(sqlite.prepare('select sqlite_version()').pluck().get());
  } finally {
    sqlite.close();
  }
}

/** Whether a research store was made in a data folder. */
export function hasResearchStore(dataDir: string): boolean {
  return existsSync(storePath(dataDir));
}

function storePath(dataDir: string): string {
  return join(dataDir, 'research.sqlite');
}

/** The steps that lead to the current schema, by version; a store takes those that it has not taken yet. */
const SCHEMA_STEPS: Readonly<Record<number, string>> = {
  1: 'schema.sql',
  2: 'schema_2.sql',
  3: 'schema_3.sql',
  4: 'schema_4.sql',
};
const SCHEMA_VERSION = 4;

function prepareSchema(sqlite: Sqlite, path: string): void {
  sqlite
    .transaction(() => {
      const version = Number(sqlite.pragma('user_version', { simple: true }));
      if (version > SCHEMA_VERSION) {
        throw new HxError(
          'conflict',
          `${path} has schema version ${version}; this hx knows ${SCHEMA_VERSION}.`,
          {
            hint: 'Use the hx that made it, or point HX_DATA_DIR to another folder.',
          },
        );
      }
      for (const [step, file] of Object.entries(SCHEMA_STEPS)) {
        if (Number(step) > version) sqlite.exec(readFileSync(packagePath('sql', 'sqlite', file), 'utf8'));
      }
    })
    .immediate();
}
