import { randomUUID } from 'node:crypto';
import { HxError } from '../../base/errors.js';
import { etagOf } from './s3-answers.js';
import type { S3Answer, S3Body, S3Client } from './s3-client.js';
import { refusalError } from './s3-failures.js';

/** Says which write made an object: how a writer that got no answer knows its own work. */
const WRITE_ID = 'x-amz-meta-hx-write';

/** What stands at a key, without its content. */
export interface ObjectHead {
  readonly tag: string;
  readonly writeId: string | null;
}

/** Asks what stands at a key. */
export function headOf(client: S3Client, key: string): Promise<S3Answer<ObjectHead>> {
  return client.send({
    method: 'HEAD',
    key,
    errand: 'read',
    consume: async (response) => ({ tag: etagOf(response), writeId: response.headers.get(WRITE_ID) }),
  });
}

/** Writes objects only where nothing, or what is expected, stands. */
export class ConditionalWriter {
  private readonly client: S3Client;
  private readonly probeKey: string;
  private probed: Promise<void> | undefined;

  /** @param probeKey of an object by which the server is asked whether it honours conditions. */
  constructor(client: S3Client, probeKey: string) {
    this.client = client;
    this.probeKey = probeKey;
  }

  /**
   * Writes an object if the present one has the tag, or if there is none (tag undefined).
   * @returns the new tag; undefined when the condition does not hold.
   * @throws HxError `configuration` for a server that ignores conditions, and whatever it refuses otherwise.
   */
  async put(key: string, body: S3Body, tag: string | undefined): Promise<string | undefined> {
    this.probed ??= this.probe();
    // A server that could not be asked is asked again by the next write.
    await this.probed.catch((error) => {
      this.probed = undefined;
      throw error;
    });
    return this.putUnprobed(key, body, tag);
  }

  private async putUnprobed(key: string, body: S3Body, tag: string | undefined): Promise<string | undefined> {
    const writeId = randomUUID();
    const condition = tag === undefined ? { 'if-none-match': '*' } : { 'if-match': tag };
    const answer = await this.client.send({
      method: 'PUT',
      key,
      errand: 'write',
      headers: { ...condition, [WRITE_ID]: writeId },
      body,
      // A large upload may well take longer, and is no run of research.
      repeatsInTime: 'content' in body,
      consume: async (response) => etagOf(response),
    });
    if (answer.done) return answer.value;
    const { status, code } = answer.refusal;
    if (status === 501) throw this.unconditional(`answers ${code}`);
    const isLost = status === 412 || (tag !== undefined && status === 404 && code !== 'NoSuchBucket');
    if (!isLost) throw refusalError(this.client.place, this.errand('write', key), answer.refusal);
    return answer.uncertain ? this.ownTag(key, writeId) : undefined;
  }

  /** The tag of what stands at a key if it is the work of one write, whose answer was lost. */
  private async ownTag(key: string, writeId: string): Promise<string | undefined> {
    const answer = await headOf(this.client, key);
    if (answer.done) return answer.value.writeId === writeId ? answer.value.tag : undefined;
    if (answer.refusal.status === 404) return undefined;
    throw refusalError(this.client.place, this.errand('read', key), answer.refusal);
  }

  /** Makes sure that the server keeps what is there, as some ignore the conditions that all our safety rests on. */
  private async probe(): Promise<void> {
    const body = { content: new Uint8Array() };
    for (let attempt = 0; attempt < 2; attempt += 1) {
      if ((await this.putUnprobed(this.probeKey, body, undefined)) === undefined) return;
    }
    throw this.unconditional('ignores it');
  }

  private unconditional(how: string): HxError {
    const { host } = new URL(this.client.place.base);
    return new HxError(
      'configuration',
      `${host} ${how} when asked to write only where nothing is (If-None-Match).`,
      {
        hint: 'The lake needs conditional writes: use AWS S3, Cloudflare R2, a recent MinIO, Ceph or the like.',
      },
    );
  }

  private errand(verb: 'read' | 'write', key: string) {
    return { verb, url: this.client.urlOf(key) };
  }
}
