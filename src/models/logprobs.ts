import type { TokenLogprob, TokenPlace } from '../rpl/readout.js';
import { fieldOf, listIn } from './envelope.js';

/**
 * The token probabilities of an answer, place by place, from the JSON body of OpenAI's Responses or of chat
 * completions. Null when it has none. Never throws: what has not their form is not there.
 */
export function readLogprobs(body: unknown): TokenPlace[] | null {
  const choice = listIn(body, 'choices')[0];
  const parts = listIn(body, 'output').flatMap((item) => listIn(item, 'content'));
  const entries = [
    ...listIn(fieldOf(choice, 'logprobs'), 'content'),
    ...parts.flatMap((part) => listIn(part, 'logprobs')),
  ];
  const places = entries.flatMap((entry): TokenPlace[] => {
    const chosen = tokenOf(entry);
    if (chosen === null) return [];
    return [{ chosen, top: listIn(entry, 'top_logprobs').flatMap((token) => tokenOf(token) ?? []) }];
  });
  return places.length === 0 ? null : places;
}

/** A token with its probability; rounding may put a logarithm a little above 0. */
function tokenOf(value: unknown): TokenLogprob | null {
  const token = fieldOf(value, 'token');
  const logprob = fieldOf(value, 'logprob');
  if (typeof token !== 'string' || typeof logprob !== 'number' || Number.isNaN(logprob)) return null;
  return { token, logprob: Math.min(0, logprob) };
}
