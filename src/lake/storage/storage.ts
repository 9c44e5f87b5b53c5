/**
 * Where the lake's files are. Names are relative to the lake's root, with forward slashes
 * (`local/dt=2026-11-01/r-s3-….parquet`). A file appears whole and durable, or not at all.
 */
export interface LakeStorage {
  /** For messages: the folder's path, or `s3://bucket/prefix`. */
  readonly url: string;
  /**
   * Every published file at any depth below a folder (`local/_hx`; '' is the root), sorted by name; none where
   * there is no such folder.
   */
  list(folder: string): Promise<StoredFile[]>;
  /** A file's content and the tag by which `replace` knows it; undefined when there is no such file. */
  read(name: string): Promise<{ readonly bytes: Uint8Array; readonly tag: string } | undefined>;
  /**
   * A file of this machine with a file's content, for readers that need a path (DuckDB): the lake's own where it
   * is local, a copy elsewhere. Undefined when there is no such file.
   */
  open(name: string): Promise<OpenedFile | undefined>;
  /** Takes a name once. Returns false, and leaves what is there, when it is taken already. */
  putIfAbsent(name: string, bytes: Uint8Array): Promise<boolean>;
  /**
   * Replaces a file if it still has the tag, or makes it if `tag` is undefined and there is none.
   * @returns the new tag; undefined, with nothing changed, when another writer was faster.
   */
  replace(name: string, bytes: Uint8Array, tag: string | undefined): Promise<string | undefined>;
  /** A local file for anyone to write (our Parquet writer, DuckDB's COPY), to be published under the name. */
  stage(name: string): Promise<StagedFile>;
  /** Removes a file durably. Returns whether there was one. */
  remove(name: string): Promise<boolean>;
  /** Removes files, waiting for the disk once a folder. Those that are not there count as removed. */
  removeAll(names: readonly string[]): Promise<void>;
  /** Removes files under way below a folder whose writers died: another machine's when untouched for an hour. */
  removeLeftOvers(folder: string): Promise<void>;
}

export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
}

/** A published file, to be read by its path only. */
export interface OpenedFile {
  readonly path: string;
  /** Says that it is no longer needed. */
  release(): Promise<void>;
}

/** A file under way that no reader sees. */
export interface StagedFile {
  /** It exists, is empty, and is ours alone. */
  readonly path: string;
  /** Takes the name, durably. Whoever wrote to `path` has closed it before. */
  publish(): Promise<PublishedFile>;
  /** Gives up and removes the local file; nothing after `publish`. */
  discard(): Promise<void>;
}

export interface PublishedFile {
  readonly bytes: number;
  /** Whether the name was taken already: what is there stays, and ours is gone. */
  readonly present: boolean;
}
