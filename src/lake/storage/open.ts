import { exportsFolder } from '../partition.js';
import type { LakeStorage } from './storage.js';

/** Which lake to open; plain values, as no settings (and so no connection string) reach this folder. */
export interface LakePlace {
  /** The folder whose `exports` folder is the lake. */
  readonly dataDir: string;
}

/** Opens a lake. Touches nothing yet. */
export async function openLakeStorage({ dataDir }: LakePlace): Promise<LakeStorage> {
  const { LocalStorage } = await import('./local.js');
  return new LocalStorage(exportsFolder(dataDir));
}
