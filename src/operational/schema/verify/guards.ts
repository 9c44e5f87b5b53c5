import type { Environment } from '../../../base/environments.js';
import type { Queryable } from '../../session.js';
import { migrationsFolder } from '../files.js';
import { readFingerprint } from '../fingerprint/read.js';
import { readLedger } from '../ledger.js';
import { inspectFiles } from './files.js';
import { compareWithLedger, inspectSchema, type SchemaFinding } from './findings.js';
import { inspectLogins } from './logins.js';
import { inspectRoles } from './roles.js';

/**
 * Whether what keeps a database's environment apart is in place: roles, memberships and logins, owners, guards, and
 * the schema that the last migration left.
 */
export async function inspectGuards(sql: Queryable, environment: Environment): Promise<SchemaFinding[]> {
  const roles = await inspectRoles(sql);
  const logins = await inspectLogins(sql, environment);
  const fingerprint = await readFingerprint(sql);
  const findings = inspectSchema(fingerprint);
  const last = (await readLedger(sql)).at(-1);
  // Whatever else was found: a privilege too many shows in this alone.
  const changed = last === undefined ? [] : compareWithLedger(fingerprint, last);
  return [...roles, ...logins, ...findings, ...changed];
}

/** Whether the migrations that a database has applied are those of this hx, and it has all of them. */
export async function inspectApplied(
  sql: Queryable,
  environment: Environment,
): Promise<{ applied: number; findings: readonly SchemaFinding[] }> {
  const ledger = await readLedger(sql);
  const { findings } = await inspectFiles(migrationsFolder(), ledger, environment);
  return { applied: ledger.length, findings };
}
