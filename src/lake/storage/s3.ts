import { open, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makeFolders } from '../../base/data-folder.js';
import { HxError } from '../../base/errors.js';
import { hashFile, onDisk, openTemporary, removeTemporaries } from './disk.js';
import { bodyOf, etagOf, nextToken, objectsOf, type StoredObject } from './s3-answers.js';
import type { S3Answer, S3Client } from './s3-client.js';
import { refusalError } from './s3-failures.js';
import { ConditionalWriter, headOf } from './s3-writer.js';
import type { LakeStorage, OpenedFile, PublishedFile, StagedFile } from './storage.js';

/** An object by which each process asks the server whether it honours conditions. It is no file of the lake. */
const PROBE_NAME = '.conditional-writes';

/** What S3 takes in one upload. https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html */
const MAX_UPLOAD_BYTES = 5 * 1024 ** 3;

/** How many objects are removed side by side. */
const REMOVALS_AT_ONCE = 16;

/** A local file on its way is not written to while another machine sends or reads it, which may take hours. */
const FOREIGN_AFTER_MS = 24 * 60 * 60 * 1000;

/** The lake below a prefix of an S3 bucket, or of a server that speaks the same protocol. */
export class S3Storage implements LakeStorage {
  readonly url: string;
  private readonly client: S3Client;
  private readonly stagingDir: string;
  private readonly writer: ConditionalWriter;

  /** @param stagingDir a local folder for files on their way; made when the first comes. */
  constructor(client: S3Client, stagingDir: string) {
    this.client = client;
    this.stagingDir = stagingDir;
    this.writer = new ConditionalWriter(client, this.key(PROBE_NAME));
    this.url = client.urlOf(client.place.prefix).replace(/\/$/, '');
  }

  async list(folder: string): Promise<StoredObject[]> {
    const prefix = this.key(folder === '' ? '' : `${folder.replace(/\/+$/, '')}/`);
    const found: StoredObject[] = [];
    let token: string | undefined;
    do {
      const page = await this.client.require({
        method: 'GET',
        key: '',
        errand: 'list',
        query: {
          'encoding-type': 'url',
          'list-type': '2',
          prefix,
          ...(token === undefined ? {} : { 'continuation-token': token }),
        },
        consume: (response) => response.text(),
      });
      found.push(...objectsOf(page, this.key('').length));
      token = nextToken(page);
    } while (token !== undefined);
    return found
      .filter(({ name }) => name !== PROBE_NAME)
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  async read(name: string): Promise<{ bytes: Uint8Array; tag: string } | undefined> {
    return this.get(name, async (response, touch) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of bodyOf(response, touch)) chunks.push(chunk);
      return { bytes: Buffer.concat(chunks), tag: etagOf(response) };
    });
  }

  async open(name: string): Promise<OpenedFile | undefined> {
    const path = await this.createLocal(name);
    const isThere = await this.download(name, path);
    if (isThere) return { path, release: () => rm(path, { force: true }) };
    await rm(path, { force: true });
    return undefined;
  }

  /** Writes an object's content to a local file. Returns whether there is such an object. */
  async download(name: string, path: string): Promise<boolean> {
    const stored = await this.get(name, (response, touch) =>
      onDisk('write', path, async () => {
        const handle = await open(path, 'w');
        try {
          for await (const chunk of bodyOf(response, touch)) await handle.writeFile(chunk);
        } finally {
          await handle.close();
        }
        return true;
      }),
    );
    return stored ?? false;
  }

  async putIfAbsent(name: string, bytes: Uint8Array): Promise<boolean> {
    return (await this.writer.put(this.key(name), { content: bytes }, undefined)) !== undefined;
  }

  replace(name: string, bytes: Uint8Array, tag: string | undefined): Promise<string | undefined> {
    return this.writer.put(this.key(name), { content: bytes }, tag);
  }

  async stage(name: string): Promise<StagedFile> {
    const path = await this.createLocal(name);
    const discard = () => rm(path, { force: true });
    const publish = async (): Promise<PublishedFile> => {
      const { size } = await onDisk('read', path, () => stat(path));
      if (size > MAX_UPLOAD_BYTES) {
        throw new HxError(
          'failed',
          `Cannot write ${this.url}/${name}: S3 takes 5 GiB at once, it has ${size} bytes.`,
        );
      }
      const body = { path, bytes: size, sha256: await onDisk('read', path, () => hashFile(path)) };
      const tag = await this.writer.put(this.key(name), body, undefined);
      await discard();
      return { bytes: size, present: tag === undefined };
    };
    return { path, publish, discard };
  }

  async remove(name: string): Promise<boolean> {
    const isThere = this.orMissing(await headOf(this.client, this.key(name)), name) !== undefined;
    if (isThere) {
      await this.client.require({
        method: 'DELETE',
        key: this.key(name),
        errand: 'remove',
        consume: async () => {},
      });
    }
    return isThere;
  }

  async removeAll(names: readonly string[]): Promise<void> {
    for (let start = 0; start < names.length; start += REMOVALS_AT_ONCE) {
      const some = names.slice(start, start + REMOVALS_AT_ONCE);
      await Promise.all(
        some.map((name) =>
          this.client.require({
            method: 'DELETE',
            key: this.key(name),
            errand: 'remove',
            consume: async () => {},
          }),
        ),
      );
    }
  }

  /** An upload that breaks off leaves nothing on the server, but its local file. */
  async removeLeftOvers(): Promise<void> {
    removeTemporaries(this.stagingDir, FOREIGN_AFTER_MS);
  }

  private async get<T>(
    name: string,
    consume: (response: Response, touch: () => void) => Promise<T>,
  ): Promise<T | undefined> {
    return this.orMissing(
      await this.client.send({ method: 'GET', key: this.key(name), errand: 'read', consume }),
      name,
    );
  }

  private orMissing<T>(answer: S3Answer<T>, name: string): T | undefined {
    if (answer.done) return answer.value;
    const { refusal } = answer;
    if (refusal.status === 404 && refusal.code !== 'NoSuchBucket') return undefined;
    throw refusalError(this.client.place, { verb: 'read', url: this.client.urlOf(this.key(name)) }, refusal);
  }

  private key(name: string): string {
    const { prefix } = this.client.place;
    return prefix === '' ? name : `${prefix}/${name}`;
  }

  private async createLocal(name: string): Promise<string> {
    const path = join(this.stagingDir, basename(name));
    return onDisk('write', path, async () => {
      makeFolders(this.stagingDir);
      const { handle, temporary } = await openTemporary(path);
      await handle.close();
      return temporary;
    });
  }
}
