import type { Settings } from '../base/config.js';
import { endpointOf } from './endpoint.js';
import { makeLiveModel } from './live.js';
import type { Model } from './model.js';
import { modelFetch } from './model-fetch.js';
import type { Provider } from './provider.js';

/** Anthropic, by its Messages API. Models without structured output get the schema as a tool that they must call. */
export const anthropic: Provider = {
  name: 'anthropic',
  meaning: 'Anthropic (Messages API)',
  example: 'anthropic/claude-haiku-4-5',
  keySetting: 'ANTHROPIC_API_KEY',
  baseUrlSetting: 'ANTHROPIC_BASE_URL',
  apiVersion: 'v1',
  required: ['ANTHROPIC_API_KEY'],
  bareNames: /^claude-/,
  async open(name: string, settings: Settings): Promise<Model> {
    const { createAnthropic } = await import('@ai-sdk/anthropic');
    const endpoint = endpointOf(this, settings);
    const provider = createAnthropic({
      apiKey: endpoint.secret ?? '',
      baseURL: endpoint.baseUrl,
      fetch: modelFetch(endpoint),
    });
    return makeLiveModel({
      identity: {
        model: `anthropic/${name}`,
        provider: 'anthropic',
        baseUrl: endpoint.baseUrl,
        simulated: false,
      },
      endpoint,
      languageModel: provider.messages(name),
    });
  },
};
