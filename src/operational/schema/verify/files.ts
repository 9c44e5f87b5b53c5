import type { Environment } from '../../../base/environments.js';
import { HxError } from '../../../base/errors.js';
import { findSumMismatch, type Migration, readMigrationFiles } from '../files.js';
import type { AppliedMigration } from '../ledger.js';
import { comparePlan } from '../plan.js';
import { fromError, note, type SchemaFinding } from './findings.js';

/** What was found about the files of a folder of migrations, and about those that a database has applied. */
export interface FilesInspection {
  readonly findings: readonly SchemaFinding[];
  /** Whether the files could be read and are those that migrations.sum lists. */
  readonly readable: boolean;
  /** Whether they are those that were applied; true where that could not be compared. */
  readonly agree: boolean;
}

/**
 * Compares the files of a folder with migrations.sum and with a database's memory of them.
 * @throws HxError `configuration` for a folder that cannot be read.
 */
export async function inspectFiles(
  folder: string,
  ledger: readonly AppliedMigration[],
  environment: Environment,
): Promise<FilesInspection> {
  const { files, findings } = readFiles(folder);
  const plan = files === undefined ? [] : await inspectPlan(files, ledger, environment);
  return {
    findings: [...findings, ...plan],
    readable: findings.length === 0,
    agree: plan.every(({ severity }) => severity === 'note'),
  };
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

async function inspectPlan(
  files: readonly Migration[],
  ledger: readonly AppliedMigration[],
  environment: Environment,
): Promise<SchemaFinding[]> {
  const { problems, commentsChanged, pending } = await comparePlan(files, ledger);
  return [
    ...problems.map(fromError),
    ...commentsChanged.map((name) =>
      note(
        `${name} was edited after it was applied, in its comments alone`,
        'Nothing: Postgres reads the same.',
      ),
    ),
    ...pending.map(({ name }) => note(`${name} is pending`, `hx migrate --env ${environment}`)),
  ];
}
