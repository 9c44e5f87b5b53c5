import type { Settings } from '../base/config.js';
import { endpointOf } from './endpoint.js';
import { makeLiveModel } from './live.js';
import type { Model } from './model.js';
import { modelFetch } from './model-fetch.js';
import type { Provider } from './provider.js';
import { READOUT_TEMPERATURE, READOUT_TOKENS } from './readout-decoding.js';

/** Any server that speaks OpenAI's chat completions: Ollama, vLLM, llama.cpp, LM Studio and others. */
export const compatible: Provider = {
  name: 'compatible',
  meaning: 'Any OpenAI-compatible server (Ollama, vLLM, llama.cpp, LM Studio)',
  example: 'compatible/llama3.2',
  keySetting: 'HX_COMPATIBLE_API_KEY',
  baseUrlSetting: 'HX_COMPATIBLE_BASE_URL',
  required: ['HX_COMPATIBLE_BASE_URL'],
  readout: { temperature: READOUT_TEMPERATURE, maxOutputTokens: READOUT_TOKENS, topLogprobs: 20 },
  async open(name: string, settings: Settings): Promise<Model> {
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
    const endpoint = endpointOf(this, settings);
    const provider = createOpenAICompatible({
      name: 'compatible',
      baseURL: endpoint.baseUrl,
      supportsStructuredOutputs: true,
      fetch: modelFetch(endpoint),
      ...(endpoint.secret === undefined ? {} : { apiKey: endpoint.secret }),
    });
    return makeLiveModel({
      identity: {
        model: `compatible/${name}`,
        provider: 'compatible',
        baseUrl: endpoint.baseUrl,
        simulated: false,
      },
      endpoint,
      languageModel: provider.chatModel(name),
      logprobOptions: (topLogprobs) => ({ logprobs: true, top_logprobs: topLogprobs }),
    });
  },
  async list(settings: Settings, signal: AbortSignal): Promise<string[]> {
    const { listModels } = await import('./listing.js');
    return listModels(endpointOf(this, settings), signal);
  },
};
