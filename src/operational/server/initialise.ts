import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Account } from './account.js';
import { type Binaries, program } from './binaries.js';
import { SUPERUSER } from './cluster.js';
import { giveTo } from './copies.js';
import { removePidFile, runProgram } from './process.js';

interface Making {
  readonly binaries: Binaries;
  readonly dataFolder: string;
  readonly account: Account | undefined;
  /** Whether the new cluster must survive a crash of the machine. */
  readonly durable: boolean;
  readonly signal: AbortSignal;
}

/** Letters and digits only, so that it needs no quoting anywhere. */
export function makePassword(): string {
  return randomBytes(24).toString('hex');
}

/** Whether a folder holds a cluster that initdb finished. */
export function isWholeCluster(dataFolder: string): boolean {
  return ['PG_VERSION', 'postgresql.conf', 'pg_hba.conf', join('global', 'pg_control')].every((name) =>
    existsSync(join(dataFolder, name)),
  );
}

/** Makes a new cluster beside its final place, then moves it there: whole or not at all. */
export async function initialiseCluster(making: Making, password: string): Promise<void> {
  const { binaries, dataFolder, account, durable, signal } = making;
  await removeLeftovers(dataFolder);
  // A name of its own: an initdb whose hx was killed may still be writing to the last one.
  const partial = `${dataFolder}.partial-${randomBytes(4).toString('hex')}`;
  const passwordFile = `${partial}.password`;
  try {
    mkdirSync(partial, { mode: 0o700 });
    giveTo(partial, account);
    writeFileSync(passwordFile, password, { mode: 0o600 });
    giveTo(passwordFile, account);
    await runProgram(
      program(binaries, 'initdb'),
      [
        `--pgdata=${partial}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--locale=C.UTF-8',
        '--encoding=UTF8',
        '--data-checksums',
        '--no-instructions',
        ...(durable ? [] : ['--no-sync']),
      ],
      { account, signal },
    );
    renameSync(partial, dataFolder);
  } finally {
    for (const leftover of [partial, passwordFile]) rmSync(leftover, { recursive: true, force: true });
  }
}

async function removeLeftovers(dataFolder: string): Promise<void> {
  const parent = dirname(dataFolder);
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(`${basename(dataFolder)}.partial`)) continue;
    await rm(join(parent, name), { recursive: true, force: true, maxRetries: 30, retryDelay: 20 });
  }
}

/** Gives a stopped cluster a new superuser password, for one whose password was lost. */
export async function resetPassword(making: Making, password: string): Promise<void> {
  const { binaries, dataFolder, account, signal } = making;
  removePidFile(dataFolder);
  await runProgram(program(binaries, 'postgres'), ['--single', '-D', dataFolder, 'postgres'], {
    account,
    signal,
    input: `ALTER ROLE ${SUPERUSER} PASSWORD '${password}'\n`,
  });
}
