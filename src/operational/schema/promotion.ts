import type { Environment } from '../../base/environments.js';
import { HxError } from '../../base/errors.js';
import { withDirectSession } from '../connect.js';
import { checkIdentity, readIdentity } from '../identity.js';
import type { Migration } from './files.js';
import type { Fingerprint } from './fingerprint/read.js';
import { type AppliedMigration, readLedger } from './ledger.js';
import type { MigrateOptions } from './migrator.js';
import { schemaMismatch } from './mismatch.js';
import type { Plan } from './plan.js';
import { semanticHash } from './statements.js';

/** Where a migration has to be applied before it may be applied here. */
const SOURCES: Readonly<Record<Environment, Environment | null>> = {
  local: null,
  development: 'local',
  production: 'development',
};

export function sourceOf(environment: Environment): Environment | null {
  return SOURCES[environment];
}

/** That the source has applied what is pending: each migration by its number. */
export interface Proof {
  readonly source: Environment;
  readonly migrations: ReadonlyMap<number, AppliedMigration>;
}

/** What a migration left is not what it left in the source. */
export class UnexpectedSchema extends Error {
  readonly found: Fingerprint;

  constructor(name: string, found: Fingerprint) {
    super(`${name} left another schema than in the source.`);
    this.found = found;
  }
}

/**
 * Makes sure that the environment's source has applied every pending migration, with the same statements. Reads the
 * source's ledger and changes nothing there. Undefined where there is no source: on the local database.
 * @throws HxError `conflict` naming the first migration that it has not, and what connecting to the source throws.
 */
export async function requireProof(
  options: MigrateOptions,
  environment: Environment,
  pending: readonly Migration[],
): Promise<Proof | undefined> {
  const source = sourceOf(environment);
  if (source === null) return undefined;
  const ledger = await readSource(options, environment, source);
  const applied = new Map(ledger.map((entry) => [entry.number, entry]));
  const migrations = new Map<number, AppliedMigration>();
  for (const migration of pending) {
    const entry = applied.get(migration.number);
    migrations.set(migration.number, await requireEntry(migration, entry, environment, source));
  }
  return { source, migrations };
}

async function readSource(
  options: MigrateOptions,
  environment: Environment,
  source: Environment,
): Promise<AppliedMigration[]> {
  const settings = options.settings.of(source);
  try {
    return await withDirectSession(
      { ...options, settings },
      { applicationName: 'hx migrate' },
      async (sql) => {
        const identity = await readIdentity(sql);
        if (identity !== undefined) checkIdentity(identity, source);
        return readLedger(sql);
      },
    );
  } catch (error) {
    if (!(error instanceof HxError)) throw error;
    const { code, message, hint, facts } = error;
    const why = `${only(environment, source)} ${message}`;
    throw new HxError(code, why, { cause: error, hint, facts });
  }
}

async function requireEntry(
  { name, sql }: Migration,
  entry: AppliedMigration | undefined,
  environment: Environment,
  source: Environment,
): Promise<AppliedMigration> {
  const migrate = source === 'local' ? 'hx migrate' : `hx migrate --env ${source}`;
  if (entry === undefined) {
    throw new HxError('conflict', `${only(environment, source)} It has not applied ${name}.`, {
      hint: migrate,
    });
  }
  if (entry.name !== name || entry.semanticHash !== (await semanticHash(name, sql))) {
    throw new HxError(
      'conflict',
      `${source} applied ${entry.name} with other statements than ${name} has now.`,
      {
        hint: 'Restore the file and put the change into a new migration, which goes through the environments in order.',
      },
    );
  }
  return entry;
}

function only(environment: Environment, source: Environment): string {
  return `${environment} takes only migrations that ${source} has applied.`;
}

/**
 * Makes sure that a run begins with the schema on which the source applied the same migrations.
 * @param found the schema as it is.
 * @throws HxError `refused` naming the objects that differ.
 */
export async function checkBefore(
  proof: Proof,
  { pending, applied, begun }: Plan,
  found: Fingerprint,
  environment: Environment,
  options: MigrateOptions,
): Promise<void> {
  const [first] = pending;
  const expected = first === undefined ? undefined : proof.migrations.get(first.number);
  // What was begun in steps was looked at then.
  const hash = begun[0]?.fingerprintBefore ?? found.hash;
  if (first === undefined || expected === undefined || hash === expected.fingerprintBefore) return;
  throw await schemaMismatch({
    what: `The schema of ${environment} is not the one on which ${proof.source} applied ${first.name}.`,
    found,
    expectedHash: expected.fingerprintBefore,
    to: applied.at(-1)?.number,
    advice: `Nothing was applied. Undo there what was done outside of the migrations, or put it into one. hx migrate diff --env ${environment} --against ${proof.source} compares the two.`,
    options,
  });
}

/** @throws UnexpectedSchema when a migration left something else than in the source. */
export function checkAfter(proof: Proof | undefined, { number, name }: Migration, after: Fingerprint): void {
  const expected = proof?.migrations.get(number);
  if (expected !== undefined && expected.fingerprintAfter !== after.hash)
    throw new UnexpectedSchema(name, after);
}

/** The error for a schema that a migration left and the source does not have, with the objects that differ. */
export async function explainUnexpected(
  { found }: UnexpectedSchema,
  proof: Proof,
  { number, name, mode }: Migration,
  environment: Environment,
  options: MigrateOptions,
): Promise<HxError> {
  const stayed =
    mode === 'tx'
      ? 'It was rolled back.'
      : 'Its steps stay, but it does not count as applied; once the schema is right, hx migrate finishes it.';
  return schemaMismatch({
    what: `${name} left another schema in ${environment} than in ${proof.source}.`,
    found,
    expectedHash: proof.migrations.get(number)?.fingerprintAfter ?? '',
    to: number,
    advice: stayed,
    options,
  });
}
