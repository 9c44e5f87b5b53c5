import type { HxError } from '../../src/base/errors.js';
import type { LakeEngine, QueryOptions, QueryResult } from '../../src/lake/engine/engine.js';

/** Every row of a result. */
export async function allRows(result: QueryResult): Promise<unknown[][]> {
  const rows: unknown[][] = [];
  for await (const chunk of result.chunks) rows.push(...chunk);
  return rows;
}

export async function runRows(engine: LakeEngine, sql: string, options?: QueryOptions): Promise<unknown[][]> {
  return allRows(await engine.run(sql, options));
}

/** The error of a statement, wherever it comes: at the start or while the result streams. */
export async function errorOf(engine: LakeEngine, sql: string, options?: QueryOptions): Promise<HxError> {
  try {
    await runRows(engine, sql, options);
  } catch (error) {
    return error as HxError;
  }
  throw new Error(`No error: ${sql}`);
}
