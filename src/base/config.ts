import { readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { type Environment, parseEnvironment } from './environments.js';
import { HxError, messageOf, systemCode } from './errors.js';
import { maskSecret, maskUrl } from './secrets.js';
import {
  type ChoiceSettingName,
  describeSetting,
  type NumberSettingName,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
} from './settings-table.js';

/** One setting as found: its value, where it came from, and how it may be shown. */
export interface ResolvedSetting {
  readonly name: SettingName;
  readonly value: string | undefined;
  /** `flag`, `environment`, `.env.local`, `.env`, `default` or `not set`. */
  readonly source: string;
  /** The value with secrets masked. */
  readonly shown: string;
}

export interface SettingsInput {
  /** Values given as flags; they beat everything. */
  readonly flags?: Partial<Record<SettingName, string | undefined>>;
  /** The process environment. It is read, never changed. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** The folder whose `.env` files count and to which relative paths refer. */
  readonly folder: string;
}

/** Everything configurable, resolved once at the edge: flag > process environment > .env.<name> > .env > default. */
export class Settings {
  readonly environment: Environment;
  readonly folder: string;
  private readonly input: SettingsInput;
  private readonly resolved: ReadonlyMap<SettingName, ResolvedSetting>;

  constructor(
    environment: Environment,
    input: SettingsInput,
    resolved: ReadonlyMap<SettingName, ResolvedSetting>,
  ) {
    this.environment = environment;
    this.folder = input.folder;
    this.input = input;
    this.resolved = resolved;
  }

  /**
   * The settings of another environment, with its `.env.<name>` instead of ours, as if `--env` had said so.
   * @param changes settings that beat all others.
   */
  of(environment: Environment, changes: Partial<Record<SettingName, string | undefined>> = {}): Settings {
    const flags = { ...this.input.flags, ...changes, HX_ENV: environment };
    return loadSettings({ ...this.input, flags });
  }

  get(name: SettingName): string | undefined {
    return this.resolved.get(name)?.value;
  }

  describe(name: SettingName): ResolvedSetting {
    const found = this.resolved.get(name);
    if (found === undefined) throw new HxError('bug', `The setting ${name} was not resolved.`);
    return found;
  }

  all(): ResolvedSetting[] {
    return SETTING_NAMES.map((name) => this.describe(name));
  }

  /** The absolute folder of everything hx makes at run time. */
  get dataDir(): string {
    const value = this.get('HX_DATA_DIR') ?? './data';
    return isAbsolute(value) ? value : resolve(this.folder, value);
  }

  /**
   * A setting that is a number.
   * @throws HxError `configuration` naming the setting, its source and the allowed values.
   */
  number(name: NumberSettingName): number | undefined {
    const { value, source } = this.describe(name);
    if (value === undefined) return undefined;
    const allowed = SETTINGS[name].number;
    const isAllowed =
      allowed === 'dollars'
        ? /^\d{1,9}(?:\.\d{1,6})?$/.test(value)
        : /^\d+$/.test(value) && Number(value) >= allowed.minimum && Number(value) <= allowed.maximum;
    if (isAllowed) return Number(value);
    throw new HxError('configuration', `${name} (from ${source}) is "${value}".`, {
      hint:
        allowed === 'dollars'
          ? 'Set it to an amount of US dollars, for example 0.50.'
          : `Set it to a whole number from ${allowed.minimum} to ${allowed.maximum}.`,
    });
  }

  /**
   * A setting that is one of a few words.
   * @throws HxError `configuration` naming the setting, its source and the words.
   */
  choice<Name extends ChoiceSettingName>(name: Name): (typeof SETTINGS)[Name]['choices'][number] {
    const { value, source } = this.describe(name);
    const { choices } = SETTINGS[name];
    const chosen = choices.find((choice) => choice === value);
    if (chosen !== undefined) return chosen;
    throw new HxError('configuration', `${name} (from ${source}) is "${value}".`, {
      hint: `Set it to one of ${choices.join(', ')}.`,
    });
  }
}

/**
 * Resolves every setting once.
 * @throws HxError `usage` for an unknown environment, `configuration` for an unreadable `.env` file.
 */
export function loadSettings(input: SettingsInput): Settings {
  const common: Layer = { source: '.env', values: readEnvFile(join(input.folder, '.env')) };
  const flags: Layer = { source: 'flag', values: input.flags ?? {} };
  const variables: Layer = { source: 'environment', values: input.variables };
  const environmentName = resolveOne('HX_ENV', [flags, variables, common]).value ?? 'local';
  const environment = parseEnvironment(environmentName);
  const specificName = `.env.${environment}`;
  const specific: Layer = {
    source: specificName,
    values: readEnvFile(join(input.folder, specificName)),
  };
  const resolved = new Map<SettingName, ResolvedSetting>();
  for (const name of SETTING_NAMES) {
    const layers = name === 'HX_ENV' ? [flags, variables, common] : [flags, variables, specific, common];
    resolved.set(name, resolveOne(name, layers));
  }
  return new Settings(environment, input, resolved);
}

interface Layer {
  readonly source: string;
  readonly values: Readonly<Record<string, string | undefined>>;
}

function resolveOne(name: SettingName, layers: readonly Layer[]): ResolvedSetting {
  for (const { source, values } of layers) {
    const value = values[name];
    if (value !== undefined && value !== '') return { name, value, source, shown: show(name, value) };
  }
  const fallback = describeSetting(name).default;
  if (fallback !== undefined) return { name, value: fallback, source: 'default', shown: fallback };
  return { name, value: undefined, source: 'not set', shown: '' };
}

function show(name: SettingName, value: string): string {
  if (name.endsWith('BASE_URL') || name.startsWith('AWS_ENDPOINT')) return maskUrl(value);
  if (!describeSetting(name).secret) return value;
  return name.startsWith('DATABASE_URL') ? maskUrl(value) : maskSecret(value);
}

function readEnvFile(path: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(path, 'utf8')) as Record<string, string | undefined>;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {};
    throw new HxError('configuration', `Cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}
