/**
 * Every setting that hx reads, in the order in which doctor and the docs list them.
 * `secret` values are masked wherever they are shown.
 */
export interface SettingDescription {
  readonly meaning: string;
  /** What a number may be: a whole number within bounds, or an amount of US dollars. */
  readonly number?: { readonly minimum: number; readonly maximum: number } | 'dollars';
  /** The words that it may be, where it is one of a few. */
  readonly choices?: readonly string[];
  readonly default?: string;
  readonly example?: string;
  readonly secret?: boolean;
}

/** Bounds of what a minute may hold, in requests or tokens. */
const RATE = { minimum: 1, maximum: 1_000_000_000 } as const;

export const SETTINGS = {
  HX_ENV: {
    meaning: 'Environment when --env is not given: local, development or production',
    default: 'local',
  },
  DATABASE_URL: {
    meaning: 'Postgres of the local environment; by default the one that `hx db up` started',
    example: 'postgres://user:password@127.0.0.1:5432/hx',
    secret: true,
  },
  DATABASE_URL_DEV: {
    meaning: 'Postgres of the development environment (Neon development branch)',
    example: 'postgres://user:password@ep-name.region.aws.neon.tech/hx?sslmode=verify-full',
    secret: true,
  },
  DATABASE_URL_PROD: {
    meaning: 'Postgres of the production environment (Neon production branch)',
    example: 'postgres://user:password@ep-name.region.aws.neon.tech/hx?sslmode=verify-full',
    secret: true,
  },
  HX_DATA_DIR: {
    meaning: 'Folder of everything hx makes: exports, research.sqlite, embedded Postgres, shell history',
    default: './data',
  },
  HX_LAKE_URL: {
    meaning: 'Where the lake is, s3://bucket/prefix; by default the folder exports under HX_DATA_DIR',
    example: 's3://my-bucket/hx',
  },
  HX_LAKE_READ: {
    meaning:
      "How `hx query` reads a lake on S3: httpfs (in place, by DuckDB's extension of that name), cache (files are fetched first), or auto: httpfs where it is installed",
    default: 'auto',
    choices: ['auto', 'httpfs', 'cache'],
  },
  HX_LAKE_CACHE_MB: {
    meaning: 'What `hx query` may keep on this disk of a lake on S3, in megabytes',
    default: '20000',
    // A petabyte.
    number: { minimum: 1, maximum: 1_000_000_000 },
  },
  AWS_ACCESS_KEY_ID: { meaning: 'Access key for a lake on S3', example: 'AKIA...', secret: true },
  AWS_SECRET_ACCESS_KEY: { meaning: 'Secret key for a lake on S3', secret: true },
  AWS_SESSION_TOKEN: { meaning: 'Session token for a lake on S3, with temporary keys', secret: true },
  AWS_REGION: { meaning: "Region of the lake's bucket; AWS_DEFAULT_REGION or us-east-1 when it is not set" },
  AWS_DEFAULT_REGION: { meaning: "Region of the lake's bucket when AWS_REGION is not set" },
  AWS_ENDPOINT_URL_S3: {
    meaning: 'Base URL of an S3-compatible server; beats AWS_ENDPOINT_URL, by default AWS itself',
    example: 'http://127.0.0.1:9000',
  },
  AWS_ENDPOINT_URL: { meaning: 'Base URL of an S3-compatible server when AWS_ENDPOINT_URL_S3 is not set' },
  HX_PG_PORT: {
    meaning: 'Port of the local Postgres that `hx db up` starts',
    example: '54329',
    number: { minimum: 1, maximum: 65_535 },
  },
  HX_MODEL: { meaning: 'Model when --model is not given', example: 'openai/gpt-4.1-mini' },
  HX_CONCURRENCY: {
    meaning: 'Model calls in flight at once, 1 to 256',
    default: '16',
    number: { minimum: 1, maximum: 256 },
  },
  HX_REQUESTS_PER_MINUTE: {
    meaning: 'Model calls within any minute, at most; no limit by default',
    example: '500',
    number: RATE,
  },
  HX_TOKENS_PER_MINUTE: {
    meaning: 'Input and output tokens of model calls within any minute, at most; no limit by default',
    example: '200000',
    number: RATE,
  },
  HX_MAX_WAIT_SECONDS: {
    meaning: 'Waiting for a model without any answer, in seconds, beyond which hx stops with exit code 4',
    default: '120',
    // A day: whoever waits longer is better served by starting again.
    number: { minimum: 0, maximum: 86_400 },
  },
  HX_MAX_COST_USD: {
    meaning:
      'What one command, or one request to `hx serve`, may spend on models, in US dollars; no limit by default',
    example: '0.50',
    number: 'dollars',
  },
  HX_PRICES: {
    meaning: 'YAML file of model prices of your own, in the form of data/prices; its entries go before those',
    example: './prices.yaml',
  },
  HX_SERVE_TOKEN: {
    meaning: 'Bearer token that `hx serve` asks for; needed to listen beyond loopback',
    secret: true,
  },
  OPENAI_API_KEY: { meaning: 'Key for models openai/*', secret: true },
  OPENAI_BASE_URL: { meaning: 'Base URL for models openai/*', default: 'https://api.openai.com/v1' },
  ANTHROPIC_API_KEY: { meaning: 'Key for models anthropic/*', secret: true },
  ANTHROPIC_BASE_URL: {
    meaning: 'Base URL for models anthropic/*',
    default: 'https://api.anthropic.com/v1',
  },
  GEMINI_API_KEY: { meaning: 'Key for models google/*', secret: true },
  GOOGLE_API_KEY: { meaning: 'Key for models google/* when GEMINI_API_KEY is not set', secret: true },
  GOOGLE_GEMINI_BASE_URL: {
    meaning: 'Base URL for models google/*',
    default: 'https://generativelanguage.googleapis.com/v1beta',
  },
  XAI_API_KEY: { meaning: 'Key for models xai/*', secret: true },
  XAI_BASE_URL: { meaning: 'Base URL for models xai/*', default: 'https://api.x.ai/v1' },
  HX_COMPATIBLE_BASE_URL: {
    meaning: 'Base URL of an OpenAI-compatible server, for models compatible/*',
    example: 'http://127.0.0.1:11434/v1',
  },
  HX_COMPATIBLE_API_KEY: { meaning: 'Key for models compatible/*, where the server wants one', secret: true },
  HX_DEBUG: { meaning: 'Set to 1 to see stack traces' },
  NO_COLOR: { meaning: 'Set to anything to switch colours off' },
} as const satisfies Record<string, SettingDescription>;

export type SettingName = keyof typeof SETTINGS;

/** The settings that are numbers. */
export type NumberSettingName = {
  [Name in SettingName]: (typeof SETTINGS)[Name] extends { number: unknown } ? Name : never;
}[SettingName];

/** The settings that are one of a few words. */
export type ChoiceSettingName = {
  [Name in SettingName]: (typeof SETTINGS)[Name] extends { choices: unknown } ? Name : never;
}[SettingName];

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

export const NUMBER_SETTING_NAMES = SETTING_NAMES.filter(
  (name): name is NumberSettingName => 'number' in SETTINGS[name],
);

export const CHOICE_SETTING_NAMES = SETTING_NAMES.filter(
  (name): name is ChoiceSettingName => 'choices' in SETTINGS[name],
);

export function describeSetting(name: SettingName): SettingDescription {
  return SETTINGS[name];
}
