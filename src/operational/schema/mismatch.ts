import { HxError } from '../../base/errors.js';
import { diffFingerprints, type SchemaDifference } from './fingerprint/diff.js';
import type { Fingerprint } from './fingerprint/read.js';
import type { MigrateOptions } from './migrator.js';

/** So many differences fit into a message; the others are among its facts. */
const NAMED_AT_MOST = 5;

export interface Mismatch {
  /** What is wrong, as a sentence. */
  readonly what: string;
  readonly found: Fingerprint;
  /** Of the schema that should be there. */
  readonly expectedHash: string;
  /** The migration that should have left it; undefined for an empty database. */
  readonly to: number | undefined;
  /** What became of the run and what to do. */
  readonly advice: string;
  readonly options: MigrateOptions;
}

/**
 * The error for a database that does not have the schema it should have. A ledger keeps hashes alone, so for the names
 * of the objects that differ the migrations are replayed on the local server, where there is one.
 */
export async function schemaMismatch({
  what,
  found,
  expectedHash,
  to,
  advice,
  options,
}: Mismatch): Promise<HxError> {
  if (options.replay === undefined) return new HxError('refused', what, { hint: advice });
  let expected: Fingerprint;
  try {
    expected = await options.replay({ ...options, to: to ?? 0 });
  } catch (error) {
    if (!(error instanceof HxError)) throw error;
    return new HxError('refused', `${what} Its objects could not be compared: ${error.message}`, {
      hint: advice,
    });
  }
  const differences = diffFingerprints(expected, found);
  if (expected.hash !== expectedHash) {
    return new HxError(
      'refused',
      `${what} The migrations make a third one, so the other was changed by hand too.`,
      {
        hint: advice,
        facts: { differences },
      },
    );
  }
  return new HxError('refused', `${what} ${describeDifferences(differences)}`, {
    hint: advice,
    facts: { differences },
  });
}

/** The first differences in words: "changed index x (valid), extra table y." */
export function describeDifferences(differences: readonly SchemaDifference[]): string {
  const words = differences.slice(0, NAMED_AT_MOST).map(({ change, kind, name, properties }) => {
    const changed = properties.map(({ property }) => property).join(', ');
    return `${change} ${kind} ${name}${changed === '' ? '' : ` (${changed})`}`;
  });
  const more = differences.length - words.length;
  return `${words.join('; ')}${more > 0 ? `; and ${more} more` : ''}.`;
}
