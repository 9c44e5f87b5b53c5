import { type Endpoint, transportFailure } from './failure.js';
import { ModelCallError } from './model.js';

/** An answer takes a few kilobytes; whatever sends more than this is not answering us. */
export const MAX_RESPONSE_BYTES = 1_000_000;

/**
 * A `fetch` that reads a response's body itself and gives up beyond MAX_RESPONSE_BYTES, so that no endpoint can
 * fill our memory.
 */
export function boundedFetch(endpoint: Endpoint): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.body === null) return response;
    const bytes = await readBounded(response.body, response.status, endpoint);
    const headers = new Headers(response.headers);
    headers.delete('content-length');
    headers.delete('content-encoding');
    const { status, statusText } = response;
    return new Response(bytes, { status, statusText, headers });
  };
}

async function readBounded(
  body: ReadableStream<Uint8Array>,
  status: number,
  endpoint: Endpoint,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    // Leaving the loop by an error cancels the stream, and with it the connection.
    for await (const chunk of body) {
      length += chunk.length;
      if (length > MAX_RESPONSE_BYTES) throw tooLarge(status, endpoint);
      chunks.push(chunk);
    }
  } catch (thrown) {
    if (thrown instanceof ModelCallError || isAbort(thrown)) throw thrown;
    throw transportFailure(endpoint, thrown);
  }
  return Buffer.concat(chunks);
}

function tooLarge(status: number, endpoint: Endpoint): ModelCallError {
  return new ModelCallError(
    `${endpoint.provider} sent more than ${MAX_RESPONSE_BYTES / 1_000} kB in answer to one call.`,
    { kind: 'retryable', status },
  );
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'AbortError';
}
