import type { NamedFunction } from '../lake/engine/allowed-functions.js';
import type { LakeTable, QueryResult } from '../lake/engine/engine.js';
import type { ReadyQuery } from '../lake/queries.js';
import { defineHandler } from './handler.js';
import { isWantedInput, openEngine } from './lake-engine.js';

export type { NamedFunction };

/** One statement, with the values of its `$name` parameters. */
export interface Statement {
  readonly sql: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** A conversation with the lake: one engine for many statements. Whoever asks for it closes it. */
export interface QuerySession {
  /**
   * Runs one statement.
   * @throws HxError `sql`, `refused`, `usage` or `interrupted`.
   */
  run(statement: Statement, signal: AbortSignal): Promise<QueryResult>;
  /**
   * The statement that a ready query stands for.
   * @throws HxError `usage` for an unknown name, parameter or a value that does not fit.
   */
  ready(name: string, parameters: Readonly<Record<string, string>>): Statement;
  readyQueries(): ReadyQuery[];
  /** Writes a result to a Parquet file that appears only when it is whole. Returns its rows. */
  writeParquet(result: QueryResult, path: string): Promise<number>;
  /** Words that could follow or complete the text, best first. */
  complete(text: string): Promise<string[]>;
  tables(): Promise<LakeTable[]>;
  /** The functions that a statement may call. */
  functions(signal: AbortSignal): Promise<NamedFunction[]>;
  close(): void;
}

/** Opens the lake for a caller that has more than one thing to ask: the shell, or a file of statements. */
export const querySession = defineHandler({
  name: 'query',
  input: isWantedInput,
  async run(input, context): Promise<QuerySession> {
    const { bindParameters, readyQueries, readyQuery } = await import('../lake/queries.js');
    const engine = await openEngine(context, input);
    return {
      run: ({ sql, parameters = {} }, signal) => engine.run(sql, { parameters, signal }),
      ready: (name, parameters) => {
        const query = readyQuery(name);
        return { sql: query.sql, parameters: bindParameters(query, parameters) };
      },
      readyQueries,
      writeParquet: async (result, path) => {
        const { writeResultParquet } = await import('../lake/engine/result-parquet.js');
        return (await writeResultParquet(result, path)).rows;
      },
      complete: (text) => engine.complete(text),
      tables: () => engine.tables(),
      functions: async (signal) => {
        const { allowedFunctions } = await import('../lake/engine/allowed-functions.js');
        return allowedFunctions(engine, signal);
      },
      close: () => engine.close(),
    };
  },
});
