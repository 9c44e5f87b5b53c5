import { HxError } from './errors.js';

/**
 * The three environments. The `env` column of every home holds the full name; an alias is only for typing.
 */
export const ENVIRONMENTS = {
  local: {
    alias: undefined,
    urlSetting: 'DATABASE_URL',
    where: 'Docker or embedded Postgres on this machine',
  },
  development: { alias: 'neon-dev', urlSetting: 'DATABASE_URL_DEV', where: 'Neon, development branch' },
  production: { alias: 'neon', urlSetting: 'DATABASE_URL_PROD', where: 'Neon, production branch' },
} as const;

export type Environment = keyof typeof ENVIRONMENTS;

export const ENVIRONMENT_NAMES = Object.keys(ENVIRONMENTS) as Environment[];

/**
 * Reads an environment's name or alias.
 * @throws HxError `usage` when it is neither.
 */
export function parseEnvironment(text: string): Environment {
  for (const name of ENVIRONMENT_NAMES) {
    if (text === name || text === ENVIRONMENTS[name].alias) return name;
  }
  throw new HxError('usage', `Unknown environment "${text}".`, {
    hint: 'Use local, development (neon-dev) or production (neon).',
  });
}
