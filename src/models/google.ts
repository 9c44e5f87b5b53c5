import type { Settings } from '../base/config.js';
import { endpointOf } from './endpoint.js';
import { makeLiveModel } from './live.js';
import type { Model } from './model.js';
import { modelFetch } from './model-fetch.js';
import type { Provider } from './provider.js';

/** Google, by the Gemini API. */
export const google: Provider = {
  name: 'google',
  meaning: 'Google (Gemini API)',
  example: 'google/gemini-2.5-flash',
  keySetting: 'GEMINI_API_KEY',
  otherKeySetting: 'GOOGLE_API_KEY',
  baseUrlSetting: 'GOOGLE_GEMINI_BASE_URL',
  apiVersion: 'v1beta',
  required: ['GEMINI_API_KEY'],
  bareNames: /^gemini-/,
  async open(name: string, settings: Settings): Promise<Model> {
    const { createGoogleGenerativeAI } = await import('@ai-sdk/google');
    const endpoint = endpointOf(this, settings);
    const provider = createGoogleGenerativeAI({
      apiKey: endpoint.secret ?? '',
      baseURL: endpoint.baseUrl,
      fetch: modelFetch(endpoint),
    });
    return makeLiveModel({
      identity: { model: `google/${name}`, provider: 'google', baseUrl: endpoint.baseUrl, simulated: false },
      endpoint,
      languageModel: provider(name),
      providerOptions: { google: { ...thinkingOf(name) } },
    });
  },
};

/**
 * The least thinking that a model takes: thoughts count against the answer's length limit, and the belief that is
 * asked for is the one before any deliberation. Models that do not think take no such option.
 */
function thinkingOf(name: string): {
  thinkingConfig?: { thinkingBudget: number } | { thinkingLevel: 'low' };
} {
  if (/^gemini-2\.5-flash/.test(name)) return { thinkingConfig: { thinkingBudget: 0 } };
  if (/^gemini-2\.5-pro/.test(name)) return { thinkingConfig: { thinkingBudget: 128 } };
  return /^gemini-3/.test(name) ? { thinkingConfig: { thinkingLevel: 'low' } } : {};
}
