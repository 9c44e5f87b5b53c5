import type { LakeEngine, LakeEngineOptions } from './query.js';

export type {
  LakeEngine,
  LakeEngineOptions,
  LakeTable,
  QueryOptions,
  QueryResult,
  ResultColumn,
} from './query.js';

/**
 * Opens an engine of its own over the lake under `dataDir`; an empty lake has its views too.
 * @throws HxError `configuration` when `dataDir` is no folder.
 */
export async function openLakeEngine(options: LakeEngineOptions): Promise<LakeEngine> {
  const { openRenewedEngine } = await import('./renewed-engine.js');
  return openRenewedEngine(options);
}
