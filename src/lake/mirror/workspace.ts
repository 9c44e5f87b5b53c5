import { copyFileSync, linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolders } from '../../base/data-folder.js';
import { systemCode } from '../../base/errors.js';
import { markedNames, removeLeftOvers } from '../../base/left-overs.js';
import { newMark } from '../../base/process-mark.js';
import { MANIFEST_NAME, type Manifest } from '../catalog/manifest.js';
import { exportsFolder } from '../files/partition.js';

/** A workspace of another machine that shares the disk is left alone for this long: a week. */
const FOREIGN_AFTER_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * A folder of one reader that looks like a local lake: hard links to the copies that it wants, and the manifest that
 * fits them. Whatever other readers fetch or remove, it stays as it is.
 */
export class Workspace {
  /** Stands for the data folder: its `exports` folder is the lake. */
  readonly dataDir: string;
  private linked = new Map<string, string>();

  /** @param folder of all workspaces; those of dead processes are removed. */
  constructor(folder: string) {
    makeFolders(folder);
    removeLeftOvers(folder, markedNames('', ''), FOREIGN_AFTER_MS);
    this.dataDir = join(folder, newMark());
    makeFolders(exportsFolder(this.dataDir));
  }

  /**
   * Shows these files and no others. What is new appears before the manifest, what is gone goes after it.
   * @param files the path of a copy by the name of each file.
   * @param manifests by environment.
   * @returns false, with what was shown still shown, when a copy has gone meanwhile.
   */
  show(files: ReadonlyMap<string, string>, manifests: ReadonlyMap<string, Manifest>): boolean {
    for (const [name, copy] of files) {
      if (this.linked.get(name) === copy) continue;
      if (!link(copy, this.path(name))) return false;
      this.linked.set(name, copy);
    }
    for (const [environment, manifest] of manifests) this.write(`${environment}/${MANIFEST_NAME}`, manifest);
    for (const name of this.linked.keys()) {
      if (files.has(name)) continue;
      rmSync(this.path(name), { force: true });
      this.linked.delete(name);
    }
    return true;
  }

  close(): void {
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  private path(name: string): string {
    return join(exportsFolder(this.dataDir), name);
  }

  private write(name: string, manifest: Manifest): void {
    const path = this.path(name);
    makeFolders(dirname(path));
    writeFileSync(`${path}.new`, JSON.stringify(manifest));
    renameSync(`${path}.new`, path);
  }
}

/** Links a copy to a name. Returns false when the copy has gone. */
function link(copy: string, path: string): boolean {
  try {
    makeFolders(dirname(path));
    rmSync(path, { force: true });
    linkOrCopy(copy, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function linkOrCopy(copy: string, path: string): void {
  try {
    linkSync(copy, path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw error;
    // Some file systems have no hard links.
    copyFileSync(copy, path);
  }
}
