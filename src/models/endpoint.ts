import type { Settings } from '../base/config.js';
import { HxError } from '../base/errors.js';
import { maskUrl } from '../base/secrets.js';
import type { Endpoint } from './failure.js';
import { keySettingOf, type Provider } from './provider.js';

/**
 * The endpoint that a provider's settings describe; its base URL without a slash at the end.
 * @throws HxError `configuration` for a base URL that is not one, or that carries a password.
 */
export function endpointOf(provider: Provider, settings: Settings): Endpoint {
  const { name, baseUrlSetting, apiVersion } = provider;
  const text = baseUrlSetting === undefined ? undefined : settings.get(baseUrlSetting);
  if (baseUrlSetting === undefined || text === undefined) {
    throw new HxError('bug', `The provider ${name} has no base URL.`);
  }
  const problem = urlProblem(text);
  if (problem !== null) {
    const { source } = settings.describe(baseUrlSetting);
    throw new HxError('configuration', `${baseUrlSetting} (from ${source}) ${problem}: ${maskUrl(text)}`, {
      hint: `Set it to the address that ends in the API version, for example ${baseUrlSetting}=http://127.0.0.1:11434/${apiVersion ?? 'v1'}.`,
    });
  }
  const keySetting = keySettingOf(provider, settings);
  const secret = keySetting === undefined ? undefined : settings.get(keySetting);
  return { provider: name, baseUrl: withVersion(text.replace(/\/+$/, ''), apiVersion), secret, keySetting };
}

function withVersion(baseUrl: string, apiVersion: string | undefined): string {
  return apiVersion === undefined || /\/v\d\w*$/.test(baseUrl) ? baseUrl : `${baseUrl}/${apiVersion}`;
}

function urlProblem(text: string): string | null {
  if (!URL.canParse(text)) return 'is not a URL';
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'is not an http or https URL';
  // The base URL is part of a sample's stored identity, so it cannot hold a secret.
  if (url.username !== '' || url.password !== '') return 'carries a user name or password';
  return url.search !== '' || url.hash !== '' ? 'carries a query or fragment' : null;
}
