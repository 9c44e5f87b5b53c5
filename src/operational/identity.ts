import { readFile } from 'node:fs/promises';
import type { Sql, TransactionSql } from 'postgres';
import type { Environment } from '../base/environments.js';
import { HxError } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
import { actAsOwner, isNoMember } from './roles.js';
import type { Queryable } from './session.js';

/** Whose database this is. */
export interface Identity {
  readonly environment: Environment;
  /** UUID of this very database, new with every first migration and every claim. */
  readonly instance: string;
  /** Whether it still lives where it was claimed: a copy does not. */
  readonly bound: boolean;
}

/** What a database says of itself: undefined before its first migration, `lost` when the row was removed since. */
export type FoundIdentity = Identity | 'lost' | undefined;

/** @throws HxError `refused` when the login may not even look. */
export async function readIdentity(sql: Queryable): Promise<FoundIdentity> {
  // Names are looked up by hand: to_regclass fails for a login that may not use the schema.
  const [made] = await sql<
    { identity: boolean; ledger: boolean; readable: boolean; login: string; quoted: string }[]
  >`
    select coalesce(bool_or(c.relname = 'identity'), false) as identity,
      coalesce(bool_or(c.relname = 'migration'), false) as ledger,
      coalesce(bool_and(has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT')), true) as readable,
      session_user::text as login, quote_ident(session_user) as quoted
    from pg_catalog.pg_namespace n
    join pg_catalog.pg_class c on c.relnamespace = n.oid
    where n.nspname = 'hx' and c.relname in ('identity', 'migration')`;
  if (made?.readable === false) throw isNoMember(made.login, made.quoted);
  if (made?.identity !== true) return made?.ledger === true ? 'lost' : undefined;
  const [row] = await sql<{ env: Environment; instance: string; bound: boolean }[]>`
    select env, instance, binding = hx.binding() as bound from hx.identity`;
  return row === undefined ? 'lost' : { environment: row.env, instance: row.instance, bound: row.bound };
}

/**
 * Makes sure that a database is the asked environment's own.
 * @throws HxError `refused` when it is another environment's, or an unclaimed copy; `conflict` when it was migrated
 * but lost its identity, so that nobody can tell whose it is.
 */
export function checkIdentity(
  identity: Identity | 'lost',
  environment: Environment,
): asserts identity is Identity {
  if (identity === 'lost') {
    throw new HxError('conflict', 'The database there was migrated, but its identity is missing.', {
      hint: `hx db claim --env ${environment} --yes, if it is the ${environment} database.`,
      facts: { wanted: environment, found: null },
    });
  }
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
export async function createIdentity(sql: TransactionSql, environment: Environment): Promise<void> {
  await allowClaim(sql);
  await sql`insert into hx.identity (env, binding) values (${environment}, hx.binding())`;
}

/**
 * Makes a copy of a database (a branch, a clone) a database of its own for an environment. Rows that it
 * inherited keep their environment, and nothing changes those of another one.
 * @param renew whether an identity that was removed may be made anew: nothing then says whose database it was.
 * @returns whether anything changed: an own database that is claimed again stays as it is.
 * @throws HxError `refused` for a database that is another environment's own, `conflict` for one never migrated,
 * `usage` (with the fact `identity: 'lost'`) for one without its identity when `renew` is off.
 */
export async function claimDatabase(sql: Sql, environment: Environment, renew = false): Promise<boolean> {
  const identity = await readIdentity(sql);
  if (identity === undefined) {
    throw new HxError('conflict', 'This database has no identity to claim: it was never migrated.', {
      hint: `hx migrate --env ${environment}`,
    });
  }
  if (identity === 'lost') {
    if (!renew) throw needsConsent(environment);
  } else if (identity.bound) {
    if (identity.environment === environment) return false;
    throw new HxError('refused', `This is the ${identity.environment} database itself, not a copy of it.`, {
      hint: 'Only a copy (a branch, a clone) can be claimed for another environment.',
    });
  }
  const claim = await readFile(packagePath('sql', 'postgres', 'claim.sql'), 'utf8');
  const grant = await readFile(packagePath('sql', 'postgres', 'grant_create.sql'), 'utf8');
  await sql.begin(async (transaction) => {
    await transaction.unsafe(grant);
    await actAsOwner(transaction);
    await allowClaim(transaction);
    await transaction.unsafe(claim, [environment]);
  });
  return true;
}

function needsConsent(environment: Environment): HxError {
  const message = `The identity of this database is missing; claiming makes it the ${environment} one.`;
  return new HxError('usage', message, {
    hint: `hx db claim --env ${environment} --yes`,
    facts: { identity: 'lost' },
  });
}

/** Lets this transaction, and no other of the session, past the guard in migrations/0001_identity.sql. */
async function allowClaim(sql: TransactionSql): Promise<void> {
  await sql`select set_config('hx.claim', pg_current_xact_id()::text, true)`;
}
