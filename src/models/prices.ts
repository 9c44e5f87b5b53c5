import { readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Settings } from '../base/config.js';
import { HxError } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
import { whyUnreadable } from '../base/text-file.js';
import { isUtcDate } from '../base/time.js';
import { readYamlFile } from '../base/yaml-file.js';
import { FREE, type Price } from '../rpl/price.js';
import type { ModelIdentity } from '../rpl/sample.js';
import { fieldOf } from './envelope.js';

/** A model's price and where it stands. */
export interface KnownPrice {
  readonly price: Price;
  /** The date of the table, YYYY-MM-DD. */
  readonly date: string;
}

/**
 * The price of a model: by the user's own table (HX_PRICES), else by the newest that ships with hx; null when neither
 * lists it. What the simulator makes up costs nothing.
 * @throws HxError `configuration` for an own table that cannot be read.
 */
export async function findPrice(
  { model, simulated }: Pick<ModelIdentity, 'model' | 'simulated'>,
  settings: Settings,
): Promise<KnownPrice | null> {
  if (simulated) return { price: FREE, date: '' };
  for (const path of tablePaths(settings)) {
    const table = await readTable(path);
    for (const name of [model, withoutDate(model)]) {
      const price = table.prices.get(name);
      if (price !== undefined) return { price, date: table.date };
    }
  }
  return null;
}

/**
 * Reads every table that counts.
 * @returns in words, which these are.
 * @throws HxError `configuration` for an own table that cannot be read.
 */
export async function describeTables(settings: Settings): Promise<string> {
  const tables = await Promise.all(
    tablePaths(settings).map(async (path) => {
      const { date, prices } = await readTable(path);
      return `${basename(path)} of ${date} with ${prices.size} models`;
    }),
  );
  return tables.join(', before ');
}

/** The tables in the order in which they are looked at. */
function tablePaths(settings: Settings): string[] {
  const own = settings.get('HX_PRICES');
  return [...(own === undefined ? [] : [resolve(settings.folder, own)]), shippedTable()];
}

function shippedTable(): string {
  const folder = packagePath('data', 'prices');
  const newest = readdirSync(folder).sort().at(-1);
  if (newest === undefined) throw new HxError('bug', `${folder} holds no price table.`);
  return join(folder, newest);
}

/** A snapshot's name without its date, or an alias without `-latest`. */
function withoutDate(model: string): string {
  return model.replace(/-(?:\d{4}-\d{2}-\d{2}|\d{8}|latest)$/, '');
}

interface Table {
  readonly date: string;
  readonly prices: ReadonlyMap<string, Price>;
}

/** US dollars per million tokens; the dearest models ask for hundreds, so that more is a slip of the unit. */
const PRICE = { minimum: 0, maximum: 10_000 } as const;

async function readTable(path: string): Promise<Table> {
  const { content, lineOf } = await readYamlFile(path).catch((error: unknown) => {
    throw malformed(path, whyUnreadable(error), error);
  });
  const fail = (at: readonly string[], problem: string): never => {
    throw malformed(path, `line ${lineOf(at)}: ${at.join(': ')} ${problem}`);
  };
  const date = fieldOf(content, 'date');
  if (typeof date !== 'string' || !isUtcDate(date)) fail(['date'], 'is not a date YYYY-MM-DD');
  const models = fieldOf(content, 'models');
  if (typeof models !== 'object' || models === null || Array.isArray(models)) {
    return fail(['models'], 'is not a list of names with their prices');
  }
  const amount = (name: string, field: string, price: unknown): number => {
    const value = fieldOf(price, field);
    if (isPrice(value)) return value;
    const found = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`;
    return fail(
      ['models', name, field],
      `${found}; it is a number from ${PRICE.minimum} to ${PRICE.maximum}, US dollars per million tokens`,
    );
  };
  const prices = Object.entries(models).map(([name, price]): [string, Price] => [
    name,
    { inputUsd: amount(name, 'input', price), outputUsd: amount(name, 'output', price) },
  ]);
  return { date: String(date), prices: new Map(prices) };
}

function isPrice(value: unknown): value is number {
  return typeof value === 'number' && value >= PRICE.minimum && value <= PRICE.maximum;
}

function malformed(path: string, problem: string, cause?: unknown): HxError {
  return new HxError('configuration', `The price table ${path} cannot be read: ${problem}.`, {
    cause,
    hint: 'Write date: YYYY-MM-DD and models: with lines such as openai/gpt-4.1: { input: 2.00, output: 8.00 }.',
  });
}
