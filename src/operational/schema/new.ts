import { closeSync, linkSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { HxError, messageOf, systemCode } from '../../base/errors.js';
import { sleep } from '../../base/time.js';
import { migrationNames } from './files.js';
import type { MigrationMode } from './header.js';

const WORDS = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const NAME_LENGTH_MAX = 60;
const NUMBER_MAX = 9_999;
/** Held while one file is written; whoever finds it waits, and takes one that was left behind away. */
const RESERVATION = '.new-migration';
const RESERVATION_AGE_MAX_MS = 5_000;
const RESERVATION_PAUSE_MS = 50;

export interface NewMigration {
  readonly number: number;
  readonly name: string;
  readonly file: string;
}

/**
 * Writes the next numbered migration with a commented skeleton. It appears complete or not at all, and never
 * replaces a file; two at once get two numbers.
 * @param words what the name says after the number, `add_notes`.
 * @throws HxError `usage` for a name that is none, `configuration` where hx is installed as a package or may not write.
 */
export async function createMigration(
  folder: string,
  words: string,
  mode: MigrationMode,
  signal: AbortSignal,
): Promise<NewMigration> {
  if (!WORDS.test(words) || words.length > NAME_LENGTH_MAX) throw badName(words);
  if (folder.split(sep).includes('node_modules'))
    throw readOnly(folder, 'hx is installed there as a package');
  const reservation = join(folder, RESERVATION);
  await reserve(folder, reservation, signal);
  try {
    const number = nextNumber(folder);
    const name = `${String(number).padStart(4, '0')}_${words}.sql`;
    const file = join(folder, name);
    writeFileSync(reservation, skeleton(words, mode));
    linkSync(reservation, file);
    return { number, name, file };
  } catch (error) {
    throw error instanceof HxError ? error : readOnly(folder, messageOf(error));
  } finally {
    rmSync(reservation, { force: true });
  }
}

async function reserve(folder: string, reservation: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      closeSync(openSync(reservation, 'wx', 0o644));
      return;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw readOnly(folder, messageOf(error));
    }
    const madeMs = statSync(reservation, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - madeMs > RESERVATION_AGE_MAX_MS) rmSync(reservation, { force: true });
    else await sleep(RESERVATION_PAUSE_MS, signal);
  }
}

function nextNumber(folder: string): number {
  const numbers = migrationNames(folder).map((name) => Number(/^\d{4}/.exec(name)?.[0] ?? 0));
  const number = Math.max(0, ...numbers) + 1;
  if (number <= NUMBER_MAX) return number;
  throw new HxError('conflict', `There is no number after ${NUMBER_MAX}.`, {
    hint: 'Give the last migration the number that follows the one before it.',
  });
}

function skeleton(words: string, mode: MigrationMode): string {
  const title = words.replaceAll('_', ' ');
  const body =
    mode === 'steps'
      ? [
          '-- Each statement runs and commits by itself, and a run that was cut off goes on where it stopped:',
          '-- create index concurrently examples_user_id_idx on examples (user_id);',
        ]
      : [
          '-- All statements run in one transaction. A new table gets the guard of its environment:',
          '-- create table examples (',
          '--   example_id uuid primary key default gen_random_uuid(),',
          '--   created_at timestamptz not null default now()',
          '-- );',
          "-- select hx.guard_table('examples');",
        ];
  return [`-- ${title}: say what it is for and why.`, `-- hx: mode=${mode}`, '', ...body, ''].join('\n');
}

function badName(words: string): HxError {
  return new HxError('usage', `"${words}" is not a name for a migration.`, {
    hint: `Small letters, digits and single underscores, at most ${NAME_LENGTH_MAX}: hx migrate new add_notes.`,
  });
}

function readOnly(folder: string, why: string): HxError {
  return new HxError('configuration', `Cannot add a migration to ${folder}: ${why}.`, {
    hint: 'Migrations are written in a checkout of the source of hx; run it there.',
  });
}
