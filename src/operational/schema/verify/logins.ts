import { readFile } from 'node:fs/promises';
import type { Environment } from '../../../base/environments.js';
import { packagePath } from '../../../base/paths.js';
import type { Queryable } from '../../session.js';
import { note, type SchemaFinding } from './findings.js';

interface LoginState {
  readonly login: string;
  /** As SQL writes it. */
  readonly quoted: string;
  readonly inUse: boolean;
  readonly superuser: boolean;
}

/**
 * Logins whose password would let whoever serves the application switch its guards off. Notes, as one login for
 * everything works. The superuser of a local server is its user's own.
 */
export async function inspectLogins(sql: Queryable, environment: Environment): Promise<SchemaFinding[]> {
  const query = await readFile(packagePath('sql', 'postgres', 'login_state.sql'), 'utf8');
  const logins = await sql.unsafe<LoginState[]>(query);
  return logins
    .filter(({ superuser }) => !(superuser && environment === 'local'))
    .map(({ login, quoted, inUse, superuser }) => {
      const what = superuser
        ? 'it is a superuser, whom no guard holds up'
        : 'it may act as hx_app and as hx_owner, so whoever has its password can switch the guards off';
      const fix = inUse
        ? "Keep it for hx migrate and hx db; give the rest a login of its own: create role ... login password '...' in role hx_app, hx_export;"
        : `revoke hx_owner, hx_migrate from ${quoted}; or, if it is to migrate: revoke hx_app from ${quoted};`;
      return note(what, fix, `login ${login}`);
    });
}
