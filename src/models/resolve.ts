import type { Settings } from '../base/config.js';
import { HxError } from '../base/errors.js';
import type { ReadoutDecoding } from '../rpl/readout.js';
import { anthropic } from './anthropic.js';
import { compatible } from './compatible.js';
import { google } from './google.js';
import type { Model } from './model.js';
import { openai } from './openai.js';
import { missingSettings, type Provider } from './provider.js';
import { simulator } from './simulator.js';
import { xai } from './xai.js';

/** Every provider. A new one is one file and one entry here. */
export const PROVIDERS: readonly Provider[] = [openai, anthropic, google, xai, compatible, simulator];

/** The three ways to get answers, for messages about a model that cannot be asked. */
export const WAYS_FORWARD =
  "Set a provider's key (OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or XAI_API_KEY); or set " +
  'HX_COMPATIBLE_BASE_URL to a local OpenAI-compatible server and use --model compatible/<name>; or try it without any model: --model simulator/default.';

export interface ModelName {
  readonly provider: string;
  readonly name: string;
}

/**
 * Reads a model's name: `provider/name`, or the bare name of a well-known model.
 * @throws HxError `usage` that lists the forms.
 */
export function parseModelName(text: string): ModelName {
  const name = text.trim();
  const slash = name.indexOf('/');
  const provider =
    slash === -1
      ? PROVIDERS.find(({ bareNames }) => bareNames?.test(name))
      : PROVIDERS.find((candidate) => candidate.name === name.slice(0, slash));
  const ownName = name.slice(slash + 1);
  if (provider === undefined || ownName === '') {
    throw new HxError('usage', `Unknown model "${text}".`, {
      hint: `Write ${PROVIDERS.map(({ example }) => example).join(', ')}, or a bare name that begins with gpt-, claude-, gemini- or grok-. See hx models.`,
    });
  }
  return { provider: provider.name, name: ownName };
}

/**
 * The model to ask: the one given, or HX_MODEL. Nothing falls back to the simulator.
 * @throws HxError `configuration` with the three ways forward when neither is there.
 */
export function requireModelName(given: string | undefined, settings: Settings): string {
  const name = given ?? settings.get('HX_MODEL');
  if (name !== undefined && name.trim() !== '') return name;
  throw new HxError('configuration', 'No model is named: neither --model nor HX_MODEL is set.', {
    hint: WAYS_FORWARD,
  });
}

/**
 * Makes the model behind a name, ready to be asked; makes no call.
 * @throws HxError `usage` for an unknown name, `configuration` naming the setting that is missing or malformed.
 */
export async function resolveModel(text: string, settings: Settings): Promise<Model> {
  const { provider: providerName, name } = parseModelName(text);
  const provider = PROVIDERS.find((candidate) => candidate.name === providerName);
  if (provider === undefined) throw new HxError('bug', `The provider ${providerName} is not registered.`);
  const missing = missingSettings(provider, settings);
  if (missing.length > 0) {
    throw new HxError(
      'configuration',
      `The model ${providerName}/${name} needs ${missing.join(' and ')}, which ${missing.length > 1 ? 'are' : 'is'} not set.`,
      { hint: WAYS_FORWARD },
    );
  }
  return provider.open(name, settings);
}

/**
 * How a model's provider is asked for a readout.
 * @throws HxError `usage` naming the providers that offer one, for a provider that gives no token probabilities.
 */
export function readoutDecoding(providerName: string): ReadoutDecoding {
  const found = PROVIDERS.find(({ name }) => name === providerName)?.readout;
  if (found !== undefined) return found;
  const offering = PROVIDERS.filter(({ readout }) => readout !== undefined).map(({ name }) => name);
  throw new HxError('usage', `${providerName} gives no token probabilities, so it has no readout.`, {
    hint: `Leave out --readout, or ask a model of ${offering.slice(0, -1).join(', ')} or ${offering.at(-1)}.`,
  });
}
