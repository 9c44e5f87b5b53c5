import type { Settings } from '../base/config.js';
import type { SettingName } from '../base/settings-table.js';
import type { ReadoutDecoding } from '../rpl/readout.js';
import type { Model } from './model.js';

/** One family of models: how its names look, what it needs, and how to reach it. */
export interface Provider {
  /** The part of a model name before the slash. */
  readonly name: string;
  readonly meaning: string;
  /** A model name to show in help. */
  readonly example: string;
  /** Setting that holds the key. */
  readonly keySetting?: SettingName;
  /** Another usual name of the key, read when `keySetting` is not set. */
  readonly otherKeySetting?: SettingName;
  /** Setting that holds the base URL. */
  readonly baseUrlSetting?: SettingName;
  /** What a base URL ends in; added where it is missing, as in the addresses that the provider's own tools take. */
  readonly apiVersion?: string;
  /** The settings without which no call can be made. */
  readonly required: readonly SettingName[];
  /** How it is asked for token probabilities, whatever the model; absent where it gives none. */
  readonly readout?: ReadoutDecoding;
  /** Names that belong to this provider even without its prefix. */
  readonly bareNames?: RegExp;
  /**
   * Makes the model. Settings named in `required` are there.
   * @throws HxError `usage` for a name that cannot be, `configuration` for a malformed setting.
   */
  open(name: string, settings: Settings): Promise<Model>;
  /**
   * Names of the models that the endpoint offers, where it is cheap to ask.
   * @throws ModelCallError when it gives no list, HxError `configuration` as `open` does.
   */
  list?(settings: Settings, signal: AbortSignal): Promise<string[]>;
}

/** The setting that holds the key: the usual one, or the other name of it when only that is set. */
export function keySettingOf(provider: Provider, settings: Settings): SettingName | undefined {
  const { keySetting, otherKeySetting } = provider;
  const isOther =
    keySetting !== undefined && otherKeySetting !== undefined && settings.get(keySetting) === undefined;
  return isOther && settings.get(otherKeySetting) !== undefined ? otherKeySetting : keySetting;
}

/** The required settings that are not set. */
export function missingSettings(provider: Provider, settings: Settings): SettingName[] {
  return provider.required.filter((name) => {
    const setting = name === provider.keySetting ? keySettingOf(provider, settings) : name;
    return setting === undefined || settings.get(setting) === undefined;
  });
}
