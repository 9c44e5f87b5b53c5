import type { Sql } from 'postgres';
import { HxError } from '../../../base/errors.js';
import { withDirectSession } from '../../connect.js';
import { checkIdentity, readIdentity } from '../../identity.js';
import { findSumMismatch, type Migration, migrationsFolder, readMigrationFiles } from '../files.js';
import { diffFingerprints } from '../fingerprint/diff.js';
import { type Fingerprint, readFingerprint } from '../fingerprint/read.js';
import { type ReplayOptions, replayFingerprint } from '../fingerprint/sources.js';
import { type AppliedMigration, readLedger } from '../ledger.js';
import { comparePlan } from '../plan.js';
import { readOpenSteps } from '../step-ledger.js';
import {
  compareWithLedger,
  differenceFindings,
  inspectSchema,
  problem,
  type SchemaFinding,
} from './findings.js';
import { inspectRoles } from './roles.js';

export interface VerifyOptions extends Omit<ReplayOptions, 'to'> {
  /** Whether to compare with the replayed migrations; otherwise with what the ledger wrote down. */
  readonly replay: boolean;
}

/** What was read of a database, and what was found meanwhile. */
interface Inspection {
  readonly fingerprint: Fingerprint;
  readonly ledger: readonly AppliedMigration[];
  /** Whether the files are those that were applied. */
  readonly filesAgree: boolean;
  readonly findings: readonly SchemaFinding[];
}

/**
 * Looks for everything that is wrong with the migration files, the database's memory of them, and its schema.
 * @throws HxError `refused` when the database is another environment's, `unavailable` when nothing answers or a
 * replay has no local server, and what a replay throws.
 */
export async function verifySchema(options: VerifyOptions): Promise<SchemaFinding[]> {
  const folder = options.folder ?? migrationsFolder();
  const { files, findings } = readFiles(folder);
  const readable = findings.length === 0;
  const inspection = await withDirectSession(
    options,
    { applicationName: 'hx migrate verify' },
    async (sql, { environment }) => inspectDatabase(sql, environment, files),
  );
  findings.push(...inspection.findings);
  const { fingerprint, ledger } = inspection;
  findings.push(...inspectSchema(fingerprint));
  const last = ledger.at(-1);
  if (last === undefined) return findings;
  if (!options.replay) return [...findings, ...compareWithLedger(fingerprint, last)];
  if (!readable || !inspection.filesAgree) {
    const what = 'the schema was not compared with what the migrations make';
    return [...findings, { severity: 'note', object: null, what, fix: 'Mend the files first.' }];
  }
  const expected = await replayFingerprint({ ...options, to: last.number });
  return [...findings, ...differenceFindings(diffFingerprints(expected, fingerprint), findings)];
}

function readFiles(folder: string): { files: Migration[] | undefined; findings: SchemaFinding[] } {
  try {
    const files = readMigrationFiles(folder);
    const mismatch = findSumMismatch(folder, files);
    return { files, findings: mismatch === undefined ? [] : [fromError(mismatch)] };
  } catch (error) {
    if (error instanceof HxError && error.code === 'conflict')
      return { files: undefined, findings: [fromError(error)] };
    throw error;
  }
}

async function inspectDatabase(
  sql: Sql,
  environment: Parameters<typeof checkIdentity>[1],
  files: readonly Migration[] | undefined,
): Promise<Inspection> {
  const findings = await inspectIdentity(sql, environment);
  const ledger = await readLedger(sql);
  const plan = files === undefined ? [] : await inspectPlan(files, ledger);
  findings.push(...plan);
  const [step] = (await readOpenSteps(sql)).slice(-1);
  if (step !== undefined) {
    const what = `migration ${step.number} was begun and did not get past step ${step.step}`;
    findings.push(problem(what, `hx migrate --env ${environment} carries on with it`));
  }
  const filesAgree = plan.every(({ severity }) => severity === 'note');
  if (ledger.length > 0) findings.push(...(await inspectRoles(sql)));
  return { findings, ledger, filesAgree, fingerprint: await readFingerprint(sql) };
}

async function inspectIdentity(
  sql: Sql,
  environment: Parameters<typeof checkIdentity>[1],
): Promise<SchemaFinding[]> {
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

async function inspectPlan(
  files: readonly Migration[],
  ledger: readonly AppliedMigration[],
): Promise<SchemaFinding[]> {
  const { problems, commentsChanged, pending } = await comparePlan(files, ledger);
  const findings = problems.map(fromError);
  for (const name of commentsChanged) {
    const what = `${name} was edited after it was applied, in its comments alone`;
    findings.push({ severity: 'note', object: null, what, fix: 'Nothing: Postgres reads the same.' });
  }
  for (const { name } of pending) {
    findings.push({ severity: 'note', object: null, what: `${name} is pending`, fix: 'hx migrate' });
  }
  return findings;
}

function fromError({ message, hint }: HxError): SchemaFinding {
  return problem(message.replace(/\.$/, ''), hint ?? '');
}
