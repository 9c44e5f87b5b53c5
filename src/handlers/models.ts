import * as t from 'typanion';
import type { Settings } from '../base/config.js';
import { messageOf } from '../base/errors.js';
import type { SettingName } from '../base/settings-table.js';
import { missingSettings, type Provider } from '../models/provider.js';
import { defineHandler } from './handler.js';

export interface ProviderSetting {
  readonly name: SettingName;
  readonly is_required: boolean;
  /** The value with secrets masked; null when it is not set. */
  readonly value: string | null;
  readonly source: string;
}

export interface ProviderStatus {
  readonly provider: string;
  readonly meaning: string;
  readonly example: string;
  /** Whether everything required is set. Nothing is called to find out whether it is right. */
  readonly is_ready: boolean;
  readonly settings: readonly ProviderSetting[];
  /** Models that the endpoint lists; null where it was not asked or gave no list. */
  readonly models: readonly string[] | null;
  /** Why it gave no list. */
  readonly problem: string | null;
}

export interface SimulatorProfile {
  readonly model: string;
  readonly meaning: string;
  readonly tau_logit: number;
  readonly sigma_logit: number;
  readonly refusal_rate: number;
  readonly malformed_rate: number;
  readonly wrapped_rate: number;
  readonly failure_rate: number;
  readonly latency_ms: number;
}

export interface ModelsResult {
  /** HX_MODEL: what is asked when --model is not given. */
  readonly default_model: string | null;
  readonly providers: readonly ProviderStatus[];
  readonly simulator_profiles: readonly SimulatorProfile[];
}

/** Which models can be asked from here, and what is missing for the others. */
export const models = defineHandler({
  name: 'models',
  input: t.isObject({}),
  async run(_input, { settings, signal }): Promise<ModelsResult> {
    const { PROVIDERS } = await import('../models/resolve.js');
    const { PROFILES } = await import('../models/simulator.js');
    return {
      default_model: settings.get('HX_MODEL') ?? null,
      providers: await Promise.all(PROVIDERS.map((provider) => describe(provider, settings, signal))),
      simulator_profiles: Object.entries(PROFILES).map(([name, profile]) => ({
        model: `simulator/${name}`,
        meaning: profile.meaning,
        tau_logit: profile.tau,
        sigma_logit: profile.sigma,
        refusal_rate: profile.refusalRate,
        malformed_rate: profile.malformedRate,
        wrapped_rate: profile.wrappedRate,
        failure_rate: profile.failureRate,
        latency_ms: profile.latencyMs,
      })),
    };
  },
});

async function describe(
  provider: Provider,
  settings: Settings,
  signal: AbortSignal,
): Promise<ProviderStatus> {
  const { name, meaning, example, keySetting, otherKeySetting, baseUrlSetting, required } = provider;
  const used = [keySetting, otherKeySetting, baseUrlSetting].filter((setting) => setting !== undefined);
  const isReady = missingSettings(provider, settings).length === 0;
  return {
    provider: name,
    meaning,
    example,
    is_ready: isReady,
    settings: used.map((setting) => describeSetting(setting, required.includes(setting), settings)),
    ...(isReady ? await list(provider, settings, signal) : { models: null, problem: null }),
  };
}

function describeSetting(name: SettingName, isRequired: boolean, settings: Settings): ProviderSetting {
  const { value, shown, source } = settings.describe(name);
  return { name, is_required: isRequired, value: value === undefined ? null : shown, source };
}

/** A server that gives no list is no error of ours: the command shows what else there is. */
async function list(
  provider: Provider,
  settings: Settings,
  signal: AbortSignal,
): Promise<Pick<ProviderStatus, 'models' | 'problem'>> {
  try {
    return { models: (await provider.list?.(settings, signal)) ?? null, problem: null };
  } catch (thrown) {
    signal.throwIfAborted();
    return { models: null, problem: messageOf(thrown) };
  }
}
