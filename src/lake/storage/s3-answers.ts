import type { StoredFile } from './storage.js';
import { elementOf, elementsOf } from './xml.js';

/** An object as a listing tells of it. */
export interface StoredObject extends StoredFile {
  /** S3's ETag: another content has another. */
  readonly tag: string;
}

/**
 * The objects on one page of a listing.
 * @param start how many characters of each key are the prefix of the lake.
 */
export function objectsOf(page: string, start: number): StoredObject[] {
  const isEncoded = elementOf(page, 'EncodingType') === 'url';
  return elementsOf(page, 'Contents').flatMap((xml) => {
    const written = elementOf(xml, 'Key') ?? '';
    const name = (isEncoded ? decodeURIComponent(written.replaceAll('+', ' ')) : written).slice(start);
    // Some tools make an empty object for a folder.
    if (name === '' || name.endsWith('/')) return [];
    return [{ name, bytes: Number(elementOf(xml, 'Size')), tag: elementOf(xml, 'ETag') ?? '' }];
  });
}

/** By what the next page of a listing is asked for; undefined after the last. */
export function nextToken(page: string): string | undefined {
  return elementOf(page, 'IsTruncated') === 'true' ? elementOf(page, 'NextContinuationToken') : undefined;
}

/** The tag of an object. */
export function etagOf(response: Response): string {
  return response.headers.get('etag') ?? '';
}

/**
 * What an answer brings, piece by piece; each piece is told to `touch`.
 * @throws Error when less came than was announced.
 */
export async function* bodyOf(response: Response, touch: () => void): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  const isPlain = !response.headers.has('content-encoding');
  let received = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    touch();
    received += chunk.byteLength;
    yield chunk;
  }
  if (isPlain && length >= 0 && received !== length) throw new Error(`${received} of ${length} bytes came`);
}
