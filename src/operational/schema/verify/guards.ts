import type { Queryable } from '../../session.js';
import { readFingerprint } from '../fingerprint/read.js';
import { readLedger } from '../ledger.js';
import { compareWithLedger, inspectSchema, type SchemaFinding } from './findings.js';
import { inspectRoles } from './roles.js';

/**
 * Whether what keeps a database's environment apart is in place: roles and memberships, owners, guards, and the schema
 * that the last migration left.
 */
export async function inspectGuards(sql: Queryable): Promise<SchemaFinding[]> {
  const roles = await inspectRoles(sql);
  const fingerprint = await readFingerprint(sql);
  const findings = inspectSchema(fingerprint);
  const last = (await readLedger(sql)).at(-1);
  // Whatever else was found: a privilege too many shows in this alone.
  const changed = last === undefined ? [] : compareWithLedger(fingerprint, last);
  return [...roles, ...findings, ...changed].filter(({ severity }) => severity === 'problem');
}
