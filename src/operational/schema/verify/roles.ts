import { readFile } from 'node:fs/promises';
import { packagePath } from '../../../base/paths.js';
import type { Role } from '../../roles.js';
import type { Queryable } from '../../session.js';
import { problem, type SchemaFinding } from './findings.js';

interface RoleState {
  readonly name: Role;
  readonly made: boolean;
  readonly canLogin: boolean;
  /** Whether it may do what guards and privileges do not hold for, or give itself that right. */
  readonly powerful: boolean;
  /** The roles that it may take on. */
  readonly actsAs: readonly string[];
}

/** Which roles each may take on, and no other: the application must not become the owner of its guards. */
const MAY_ACT_AS: Readonly<Record<Role, readonly string[]>> = {
  hx_owner: [],
  hx_migrate: ['hx_owner'],
  hx_app: [],
  hx_export: [],
};

/** What is wrong with the roles of a cluster that hx uses, each with the statement that mends it. */
export async function inspectRoles(sql: Queryable): Promise<SchemaFinding[]> {
  const query = await readFile(packagePath('sql', 'postgres', 'role_state.sql'), 'utf8');
  return (await sql.unsafe<RoleState[]>(query)).flatMap(inspectRole);
}

function inspectRole({ name, made, canLogin, powerful, actsAs }: RoleState): SchemaFinding[] {
  const object = `role ${name}`;
  if (!made) {
    const fix = `create role ${name} nologin; then hx migrate diff names the privileges that went with it.`;
    return [problem('there is no such role', fix, object)];
  }
  const findings: SchemaFinding[] = [];
  if (canLogin) {
    const fix = `alter role ${name} nologin; and a login of its own: create role ... login in role ${name};`;
    findings.push(problem('it may log in, so nobody can tell who acts', fix, object));
  }
  if (powerful) {
    const fix = `alter role ${name} nosuperuser nocreaterole nocreatedb noreplication nobypassrls;`;
    findings.push(problem('it may do what no guard holds for', fix, object));
  }
  const allowed = MAY_ACT_AS[name];
  for (const other of allowed.filter((role) => !actsAs.includes(role))) {
    const fix = `grant ${other} to ${name} with set true, inherit false;`;
    findings.push(problem(`it may not act as ${other}`, fix, object));
  }
  for (const other of actsAs.filter((role) => !allowed.includes(role))) {
    findings.push(problem(`it may act as ${other}`, `revoke ${other} from ${name};`, object));
  }
  return findings;
}
