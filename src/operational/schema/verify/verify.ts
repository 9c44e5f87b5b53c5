import type { Sql } from 'postgres';
import type { Environment } from '../../../base/environments.js';
import { HxError } from '../../../base/errors.js';
import { withDirectSession } from '../../connect.js';
import { checkIdentity, readIdentity } from '../../identity.js';
import { migrationsFolder } from '../files.js';
import { diffFingerprints } from '../fingerprint/diff.js';
import { type Fingerprint, readFingerprint } from '../fingerprint/read.js';
import { type ReplayOptions, replayFingerprint } from '../fingerprint/sources.js';
import { type AppliedMigration, readLedger } from '../ledger.js';
import { readOpenSteps } from '../step-ledger.js';
import { inspectFiles } from './files.js';
import {
  compareWithLedger,
  differenceFindings,
  fromError,
  inspectSchema,
  note,
  problem,
  type SchemaFinding,
} from './findings.js';
import { inspectLogins } from './logins.js';
import { inspectRoles } from './roles.js';

export interface VerifyOptions extends Omit<ReplayOptions, 'to'> {
  /** Whether to compare with the replayed migrations; otherwise with what the ledger wrote down. */
  readonly replay: boolean;
}

/** What was read of a database, and what was found meanwhile. */
interface Inspection {
  readonly fingerprint: Fingerprint;
  readonly ledger: readonly AppliedMigration[];
  /** Whether the files are whole and those that were applied. */
  readonly comparable: boolean;
  readonly findings: SchemaFinding[];
}

/**
 * Looks for everything that is wrong with the migration files, the database's memory of them, and its schema.
 * @throws HxError `refused` when the database is another environment's, `unavailable` when nothing answers or a
 * replay has no local server, and what a replay throws.
 */
export async function verifySchema(options: VerifyOptions): Promise<SchemaFinding[]> {
  const folder = options.folder ?? migrationsFolder();
  const { findings, fingerprint, ledger, comparable } = await withDirectSession(
    options,
    { applicationName: 'hx migrate verify' },
    async (sql, { environment }) => inspectDatabase(sql, environment, folder),
  );
  findings.push(...inspectSchema(fingerprint));
  const last = ledger.at(-1);
  if (last === undefined) return findings;
  if (!options.replay) return [...findings, ...compareWithLedger(fingerprint, last)];
  if (!comparable) {
    const what = 'the schema was not compared with what the migrations make';
    return [...findings, note(what, 'Mend the files first.')];
  }
  const expected = await replayFingerprint({ ...options, to: last.number });
  return [...findings, ...differenceFindings(diffFingerprints(expected, fingerprint), findings)];
}

async function inspectDatabase(sql: Sql, environment: Environment, folder: string): Promise<Inspection> {
  // First of all whose database it is.
  const identity = await inspectIdentity(sql, environment);
  const ledger = await readLedger(sql);
  const files = await inspectFiles(folder, ledger, environment);
  const findings = [...identity, ...files.findings];
  const [step] = (await readOpenSteps(sql)).slice(-1);
  if (step !== undefined) {
    const what = `migration ${step.number} was begun and did not get past step ${step.step}`;
    findings.push(problem(what, `hx migrate --env ${environment} carries on with it`));
  }
  if (ledger.length > 0) {
    findings.push(...(await inspectRoles(sql)), ...(await inspectLogins(sql, environment)));
  }
  const comparable = files.readable && files.agree;
  return { findings, ledger, comparable, fingerprint: await readFingerprint(sql) };
}

async function inspectIdentity(sql: Sql, environment: Environment): Promise<SchemaFinding[]> {
  const identity = await readIdentity(sql);
  if (identity === undefined)
    return [problem('the database was never migrated', `hx migrate --env ${environment}`)];
  try {
    checkIdentity(identity, environment);
    return [];
  } catch (error) {
    const other = identity !== 'lost' && identity.environment !== environment;
    if (other || !(error instanceof HxError)) throw error;
    return [fromError(error)];
  }
}
