import type { NamedFunction, QuerySession } from '../../../handlers/query-session.js';

export type { NamedFunction };

/** What can be named in a statement, besides keywords. */
export interface Vocabulary {
  readonly tables: readonly NamedTable[];
  readonly functions: readonly NamedFunction[];
}

export interface NamedTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** Asks the engine for its views and functions. */
export async function loadVocabulary(
  session: Pick<QuerySession, 'functions' | 'tables'>,
  signal: AbortSignal,
): Promise<Vocabulary> {
  return { tables: await session.tables(), functions: await session.functions(signal) };
}
