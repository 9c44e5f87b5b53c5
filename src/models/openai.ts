import type { Settings } from '../base/config.js';
import { endpointOf } from './endpoint.js';
import { makeLiveModel } from './live.js';
import type { Model } from './model.js';
import { modelFetch } from './model-fetch.js';
import type { Provider } from './provider.js';
import { READOUT_TEMPERATURE } from './readout-decoding.js';

/** OpenAI, by its Responses API. */
export const openai: Provider = {
  name: 'openai',
  meaning: 'OpenAI (Responses API)',
  example: 'openai/gpt-4.1-mini',
  keySetting: 'OPENAI_API_KEY',
  baseUrlSetting: 'OPENAI_BASE_URL',
  required: ['OPENAI_API_KEY'],
  bareNames: /^(?:gpt-|chatgpt-|o[134](?:$|-))/,
  // 16 tokens are the fewest that the Responses API takes.
  readout: { temperature: READOUT_TEMPERATURE, maxOutputTokens: 16, topLogprobs: 20 },
  async open(name: string, settings: Settings): Promise<Model> {
    const { createOpenAI } = await import('@ai-sdk/openai');
    const endpoint = endpointOf(this, settings);
    const provider = createOpenAI({
      apiKey: endpoint.secret ?? '',
      baseURL: endpoint.baseUrl,
      fetch: modelFetch(endpoint),
    });
    return makeLiveModel({
      identity: { model: `openai/${name}`, provider: 'openai', baseUrl: endpoint.baseUrl, simulated: false },
      endpoint,
      languageModel: provider.responses(name),
      // The SDK would silently leave the temperature out for models that it takes for reasoning models. OpenAI
      // itself must say whether it takes one. Nothing we ask is worth storing there.
      providerOptions: { openai: { forceReasoning: false, strictJsonSchema: true, store: false } },
      logprobOptions: (topLogprobs) => ({ logprobs: topLogprobs }),
    });
  },
};
