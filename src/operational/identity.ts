import { readFile } from 'node:fs/promises';
import type { Environment } from '../base/environments.js';
import { HxError } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
import type { Queryable } from './session.js';

/** Whose database this is. */
export interface Identity {
  readonly environment: Environment;
  /** UUID of this very database, new with every first migration and every claim. */
  readonly instance: string;
  /** Whether it still lives where it was claimed: a copy does not. */
  readonly bound: boolean;
}

/** Reads a database's identity; undefined before its first migration. */
export async function readIdentity(sql: Queryable): Promise<Identity | undefined> {
  const [made] = await sql<{ made: boolean }[]>`select to_regclass('hx.identity') is not null as made`;
  if (made?.made !== true) return undefined;
  const [row] = await sql<{ env: Environment; instance: string; bound: boolean }[]>`
    select env, instance, binding = hx.binding() as bound from hx.identity`;
  return row === undefined ? undefined : { environment: row.env, instance: row.instance, bound: row.bound };
}

/**
 * Makes sure that a database is the asked environment's own.
 * @throws HxError `refused` when it is another environment's, or an unclaimed copy.
 */
export function checkIdentity(identity: Identity, environment: Environment): void {
  if (identity.environment !== environment) {
    throw new HxError(
      'refused',
      `This command is for ${environment}, but the database there is the ${identity.environment} one.`,
      {
        hint: `Use --env ${identity.environment}, or correct the connection string of ${environment}.`,
        facts: { wanted: environment, found: identity.environment },
      },
    );
  }
  if (!identity.bound) {
    throw new HxError('refused', `The ${environment} database there is an unclaimed copy of another.`, {
      hint: `hx db claim --env ${environment} makes it a database of its own.`,
    });
  }
}

/** Gives a database its identity, in the transaction of its first migration. */
export async function createIdentity(sql: Queryable, environment: Environment): Promise<void> {
  await sql`insert into hx.identity (env, binding) values (${environment}, hx.binding())`;
}

/**
 * Makes a copy of a database (a branch, a clone) a database of its own for an environment. Rows that it
 * inherited keep their environment, and nothing changes those of another one.
 * @returns whether anything changed: an own database that is claimed again stays as it is.
 * @throws HxError `refused` for a database that is another environment's own, `conflict` for one never migrated.
 */
export async function claimDatabase(sql: Queryable, environment: Environment): Promise<boolean> {
  const identity = await readIdentity(sql);
  if (identity === undefined) {
    throw new HxError('conflict', 'This database has no identity to claim: it was never migrated.', {
      hint: `hx migrate --env ${environment}`,
    });
  }
  if (identity.bound && identity.environment === environment) return false;
  if (identity.bound) {
    throw new HxError('refused', `This is the ${identity.environment} database itself, not a copy of it.`, {
      hint: 'Only a copy (a branch, a clone) can be claimed for another environment.',
    });
  }
  await sql.unsafe(await readFile(packagePath('sql', 'postgres', 'claim.sql'), 'utf8'), [environment]);
  return true;
}
