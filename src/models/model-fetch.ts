import { boundedFetch } from './bounded-fetch.js';
import { fieldOf } from './envelope.js';
import type { Endpoint } from './failure.js';
import { ModelCallError } from './model.js';

/**
 * The `fetch` of every live model: its answers are bounded, and a request without a temperature is never sent.
 * The SDK leaves the temperature out for models that it knows to take none; such a sample could not be compared
 * with any other, so it is not paid for.
 */
export function modelFetch(endpoint: Endpoint): typeof fetch {
  const send = boundedFetch(endpoint);
  return async (input, init) => {
    const text = init?.body;
    const body: unknown = typeof text === 'string' ? JSON.parse(text) : undefined;
    // Google keeps the decoding parameters in an object of their own.
    const decoding = fieldOf(body, 'generationConfig') ?? body;
    if (typeof fieldOf(decoding, 'temperature') !== 'number') throw noTemperature(endpoint.provider);
    return send(input, init);
  };
}

/** The error for a model that takes no temperature. */
export function noTemperature(provider: string, parameter = 'temperature'): ModelCallError {
  return new ModelCallError(`This model of ${provider} does not take the parameter ${parameter}.`, {
    kind: 'fatal',
    hint: 'hx sends every model the same decoding parameters. Choose a model that takes them.',
  });
}
