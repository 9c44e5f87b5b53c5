import type { Row } from 'postgres';
import { HxError } from '../base/errors.js';
import type { Queryable } from './session.js';

/** The roles of the cluster, made by the migration of that name: nobody logs in as one, logins are members. */
export const ROLES = ['hx_owner', 'hx_migrate', 'hx_app', 'hx_export'] as const;
export type Role = (typeof ROLES)[number];

/** How long a login acts as a role. Only a direct session of our own may keep it: poolers share theirs. */
export type RoleScope = 'transaction' | 'session';

/**
 * Two columns of a select list that make the login act as a role, if it may. They ride along with what a transaction
 * has to say anyway, and do not outlive it.
 */
export function taking(sql: Queryable, role: Role, scope: RoleScope = 'transaction') {
  return sql`
    session_user::text as login,
    case when pg_has_role(session_user, ${role}::name, 'SET') then set_config('role', ${role}, ${scope === 'transaction'}) end as role`;
}

/**
 * Makes sure that a row with the columns of `taking` says that it went well.
 * @throws HxError `refused` naming the login and the statement that would let it.
 */
export function checkTaken(row: Row | undefined, role: Role): void {
  if (row?.['role'] === role) return;
  const login = String(row?.['login']);
  const quoted = /^[a-z_][a-z0-9_]*$/.test(login) ? login : `"${login.replaceAll('"', '""')}"`;
  throw new HxError('refused', `The login ${login} may not act as the role ${role}.`, {
    hint: `Use a login that may, or have an administrator run: GRANT ${role === 'hx_owner' ? 'hx_migrate' : role} TO ${quoted};`,
    facts: { login, role },
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
