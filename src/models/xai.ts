import type { Settings } from '../base/config.js';
import { endpointOf } from './endpoint.js';
import { makeLiveModel } from './live.js';
import type { Model } from './model.js';
import { modelFetch } from './model-fetch.js';
import type { Provider } from './provider.js';
import { READOUT_TEMPERATURE, READOUT_TOKENS } from './readout-decoding.js';

/** xAI, by its chat completions. */
export const xai: Provider = {
  name: 'xai',
  meaning: 'xAI (chat completions)',
  example: 'xai/grok-4-fast-non-reasoning',
  keySetting: 'XAI_API_KEY',
  baseUrlSetting: 'XAI_BASE_URL',
  apiVersion: 'v1',
  required: ['XAI_API_KEY'],
  bareNames: /^grok-/,
  readout: { temperature: READOUT_TEMPERATURE, maxOutputTokens: READOUT_TOKENS, topLogprobs: 8 },
  async open(name: string, settings: Settings): Promise<Model> {
    const { createXai } = await import('@ai-sdk/xai');
    const endpoint = endpointOf(this, settings);
    const provider = createXai({
      apiKey: endpoint.secret ?? '',
      baseURL: endpoint.baseUrl,
      fetch: modelFetch(endpoint),
    });
    return makeLiveModel({
      identity: { model: `xai/${name}`, provider: 'xai', baseUrl: endpoint.baseUrl, simulated: false },
      endpoint,
      languageModel: provider.chat(name),
      logprobOptions: (topLogprobs) => ({ logprobs: true, topLogprobs }),
    });
  },
};
