import type { Row } from 'postgres';
import { HxError } from '../base/errors.js';
import type { Queryable } from './session.js';

/** The roles of the cluster, made by the migration of that name: nobody logs in as one, logins are members. */
export const ROLES = ['hx_owner', 'hx_migrate', 'hx_app', 'hx_export'] as const;
export type Role = (typeof ROLES)[number];

/** How long a login acts as a role. Only a direct session of our own may keep it: poolers share theirs. */
export type RoleScope = 'transaction' | 'session';

/**
 * Columns of a select list that make the login act as a role, if it may. They ride along with what a transaction
 * has to say anyway, and do not outlive it.
 */
export function taking(sql: Queryable, role: Role, scope: RoleScope = 'transaction') {
  return sql`
    session_user::text as login, quote_ident(session_user) as quoted_login,
    case when pg_has_role(session_user, ${role}::name, 'SET') then set_config('role', ${role}, ${scope === 'transaction'}) end as role`;
}

/**
 * Makes sure that a row with the columns of `taking` says that it went well.
 * @throws HxError `refused` naming the login and the statement that would let it.
 */
export function checkTaken(row: Row | undefined, role: Role): void {
  if (row?.['role'] === role) return;
  throw mayNotAct(String(row?.['login']), String(row?.['quoted_login']), role);
}

/** @param quoted the login's name as SQL writes it. */
export function mayNotAct(login: string, quoted: string, role: Role): HxError {
  return new HxError('refused', `The login ${login} may not act as the role ${role}.`, {
    hint: `Use a login that may, or have an administrator run: GRANT ${role === 'hx_owner' ? 'hx_migrate' : role} TO ${quoted};`,
    facts: { login, role },
  });
}

/**
 * The error for a login that has none of the roles, so that it may not even see whose database it is at.
 * @param quoted its name as SQL writes it.
 */
export function isNoMember(login: string, quoted: string): HxError {
  return new HxError('refused', `The login ${login} has no right to anything of hx in that database.`, {
    hint: `Use a login that has, or have an administrator run: GRANT hx_app, hx_export TO ${quoted}; and for hx migrate and hx db: GRANT hx_migrate TO ${quoted};`,
    facts: { login },
  });
}

/**
 * Acts as the owner of hx's objects. Before the roles were made, the login that began
 * the migrations is the owner itself.
 * @throws HxError `refused` when the login may not.
 */
export async function actAsOwner(sql: Queryable, scope: RoleScope = 'transaction'): Promise<void> {
  const [row] = await sql`
    select ${taking(sql, 'hx_owner', scope)} from pg_catalog.pg_class
    where oid = to_regclass('hx.identity') and pg_get_userbyid(relowner) = 'hx_owner'`;
  if (row !== undefined) checkTaken(row, 'hx_owner');
}
