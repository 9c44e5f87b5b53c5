import { boundedFetch } from './bounded-fetch.js';
import { type Endpoint, httpFailure, transportFailure } from './failure.js';
import { ModelCallError } from './model.js';

/** A list is a courtesy: whoever waits for it waits no longer than this. */
export const LISTING_DEADLINE_MS = 2_000;

/**
 * The ids of the models that an OpenAI-compatible server offers (`GET /models`), sorted.
 * @throws ModelCallError when no list comes in time; the signal's reason when aborted.
 */
export async function listModels(endpoint: Endpoint, signal: AbortSignal): Promise<string[]> {
  const deadline = AbortSignal.timeout(LISTING_DEADLINE_MS);
  try {
    const response = await boundedFetch(endpoint)(`${endpoint.baseUrl}/models`, {
      headers: endpoint.secret === undefined ? {} : { authorization: `Bearer ${endpoint.secret}` },
      signal: AbortSignal.any([signal, deadline]),
    });
    const body = await response.text();
    if (!response.ok) {
      const headers = Object.fromEntries(response.headers);
      throw httpFailure(endpoint, { status: response.status, headers, body });
    }
    return readIds(body, endpoint);
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof ModelCallError) throw thrown;
    if (deadline.aborted) throw noList(endpoint, `no list within ${LISTING_DEADLINE_MS / 1_000} s`, thrown);
    throw transportFailure(endpoint, thrown);
  }
}

function readIds(body: string, endpoint: Endpoint): string[] {
  let list: unknown;
  try {
    list = (JSON.parse(body) as { data?: unknown } | null)?.data;
  } catch (error) {
    throw noList(endpoint, 'something else than JSON', error);
  }
  if (!Array.isArray(list)) throw noList(endpoint, 'no list of models', undefined);
  const ids = list.map((entry: unknown) => (entry as { id?: unknown } | null)?.id);
  return ids.filter((id) => typeof id === 'string').sort();
}

function noList({ provider, baseUrl }: Endpoint, what: string, cause: unknown): ModelCallError {
  return new ModelCallError(`${provider} at ${baseUrl}/models gave ${what}.`, { kind: 'retryable', cause });
}
