import * as t from 'typanion';
import { HxError } from '../base/errors.js';
import type { QueryResult } from '../lake/engine/engine.js';
import type { ReadyQuery } from '../lake/queries.js';
import { defineHandler } from './handler.js';
import { openEngine } from './lake-engine.js';

/** A result that still streams: read `chunks`, then call `close`, also when reading fails or stops early. */
export interface OpenQuery extends QueryResult {
  close(): void;
}

/** Runs one statement, or a ready query by name, on the lake. */
export const query = defineHandler({
  name: 'query',
  input: t.isObject({
    sql: t.isOptional(t.isString()),
    name: t.isOptional(t.isString()),
    parameters: t.isOptional(t.isRecord(t.isString())),
  }),
  run: async ({ sql, name, parameters = {} }, context): Promise<OpenQuery> => {
    const statement = await readStatement(sql, name, parameters);
    const engine = await openEngine(context, {});
    try {
      const result = await engine.run(statement.sql, {
        parameters: statement.parameters,
        signal: context.signal,
      });
      return { ...result, close: () => engine.close() };
    } catch (error) {
      engine.close();
      throw error;
    }
  },
});

/** What a ready query answers, what it takes and how to read it. */
export type QueryListing = Omit<ReadyQuery, 'sql'>;

/** The ready queries: what each answers and what it takes. */
export const queryList = defineHandler({
  name: 'query',
  input: t.isObject({}),
  run: async (): Promise<QueryListing[]> => {
    const { readyQueries } = await import('../lake/queries.js');
    return readyQueries().map(({ sql: _sql, ...listing }) => listing);
  },
});

async function readStatement(
  sql: string | undefined,
  name: string | undefined,
  parameters: Readonly<Record<string, string>>,
): Promise<{ sql: string; parameters: Record<string, unknown> }> {
  if (name !== undefined && sql === undefined) {
    const { bindParameters, readyQuery } = await import('../lake/queries.js');
    const ready = readyQuery(name);
    return { sql: ready.sql, parameters: bindParameters(ready, parameters) };
  }
  if (sql !== undefined && name === undefined) return { sql, parameters: { ...parameters } };
  throw new HxError('usage', 'Give either a statement or the name of a ready query.', {
    hint: 'For example: hx query "SELECT count(*) FROM checks".',
  });
}
