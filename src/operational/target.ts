import type { Settings } from '../base/config.js';
import { ENVIRONMENTS, type Environment } from '../base/environments.js';
import { HxError } from '../base/errors.js';
import { clusterFolder, readState, stateUrl } from './server/cluster.js';
import { directUrl, isLoopback, parseDatabaseUrl, type Target } from './session.js';
import type { ErrorContext } from './translate.js';

/** An environment's database: where it is, and how to speak of it. */
export interface EnvironmentTarget extends Target {
  readonly environment: Environment;
  readonly errors: ErrorContext;
}

/**
 * The database of the chosen environment.
 * @throws HxError `configuration` naming the variable that is not set or malformed, `unavailable` when there is
 * no local server yet.
 */
export function findTarget(settings: Settings): EnvironmentTarget {
  const { environment } = settings;
  const setting = ENVIRONMENTS[environment].urlSetting;
  const given = settings.get(setting);
  const ours = environment === 'local' && given === undefined;
  const target: EnvironmentTarget = {
    environment,
    url: given ?? rememberedUrl(settings),
    setting: given === undefined ? 'the one that hx db up started' : setting,
    plainAllowed: environment === 'local',
    errors: {
      database: `the ${environment} database`,
      setting,
      whenDown: ours ? 'hx db up' : downHint(environment, setting),
      // The server that hx starts gets the database with every start.
      whenMissing: ours ? 'hx db up' : `Make it on that server (CREATE DATABASE), or correct ${setting}.`,
    },
  };
  const { hostname } = parseDatabaseUrl(target);
  return isLoopback(hostname) ? target : at(hostname, target);
}

/** The direct endpoint of a database, for what needs a session of its own; the same target when it is that already. */
export function directTarget(target: EnvironmentTarget): EnvironmentTarget {
  const { url } = directUrl(target);
  if (url === target.url) return target;
  const { hostname } = new URL(url);
  return at(`${hostname} (the direct endpoint behind the one in ${target.setting})`, { ...target, url });
}

function at(endpoint: string, target: EnvironmentTarget): EnvironmentTarget {
  return { ...target, errors: { ...target.errors, endpoint } };
}

function downHint(environment: Environment, setting: string): string {
  if (environment !== 'local') return `Check ${setting} and the state of the database.`;
  return `Start the server that ${setting} names, or unset ${setting} and run hx db up.`;
}

function rememberedUrl(settings: Settings): string {
  const { environment, dataDir } = settings;
  const setting = ENVIRONMENTS[environment].urlSetting;
  if (environment !== 'local') {
    throw new HxError('configuration', `${setting} is not set, so there is no ${environment} database.`, {
      hint: `Set ${setting} to its connection string, in the environment or in .env.${environment}.`,
      facts: { setting },
    });
  }
  const state = readState(clusterFolder(dataDir));
  if (state !== undefined) return stateUrl(state);
  throw new HxError('unavailable', 'There is no local database yet.', { hint: 'hx db up' });
}
