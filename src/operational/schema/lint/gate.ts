import type { Environment } from '../../../base/environments.js';
import { HxError } from '../../../base/errors.js';
import type { EmitProgress } from '../../../base/events.js';
import type { Migration } from '../files.js';
import { type Finding, lintMigration } from './lint.js';

/** Findings in migrations that are about to run, in their order. */
export async function lintAll(migrations: readonly Migration[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const migration of migrations) findings.push(...(await lintMigration(migration)));
  return findings;
}

/**
 * Stops what must not run: on a database that others use every finding counts. On the local one only what can
 * never be right does; the rest becomes a note.
 * @throws HxError `conflict`, with the findings among its facts.
 */
export async function refuseUnsafe(
  pending: readonly Migration[],
  environment: Environment,
  emit: EmitProgress,
): Promise<void> {
  const findings = await lintAll(pending);
  const isLocal = environment === 'local';
  const refused = findings.filter((finding) => !isLocal || isNeverRight(finding));
  const [first] = refused;
  if (first !== undefined) throw unsafe(first, refused, environment);
  for (const { file, line, rule, subject } of findings) {
    emit({ type: 'note', message: `${file}, line ${line}: ${rule} (${subject}). See hx migrate lint.` });
  }
}

function isNeverRight({ rule, isWaivable }: Finding): boolean {
  return !isWaivable && rule !== 'unused-waiver';
}

function unsafe(first: Finding, refused: readonly Finding[], environment: Environment): HxError {
  const { file, line, rule, subject, danger, safe } = first;
  const more = refused.length - 1;
  const others = more === 0 ? '' : ` hx migrate lint shows ${more} more.`;
  return new HxError('conflict', `${file}, line ${line}: ${rule} (${subject}). ${danger}`, {
    hint: `${safe}${others} Nothing was applied to ${environment}.`,
    facts: { findings: refused },
  });
}
