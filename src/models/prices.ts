import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Settings } from '../base/config.js';
import { HxError, messageOf } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
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
  const own = settings.get('HX_PRICES');
  const paths = [...(own === undefined ? [] : [resolve(settings.folder, own)]), shippedTable()];
  for (const path of paths) {
    const table = await readTable(path);
    for (const name of [model, withoutDate(model)]) {
      const price = table.prices.get(name);
      if (price !== undefined) return { price, date: table.date };
    }
  }
  return null;
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

async function readTable(path: string): Promise<Table> {
  const { parse } = await import('yaml');
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw malformed(path, messageOf(error), error);
  }
  const date = fieldOf(content, 'date');
  if (typeof date !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(date)) throw malformed(path, 'date is no date');
  const models = fieldOf(content, 'models');
  if (typeof models !== 'object' || models === null) throw malformed(path, 'models is missing');
  const prices = Object.entries(models).map(([name, price]) => [name, readPrice(name, price, path)] as const);
  return { date, prices: new Map(prices) };
}

function readPrice(name: string, price: unknown, path: string): Price {
  const [inputUsd, outputUsd] = [fieldOf(price, 'input'), fieldOf(price, 'output')];
  if (!isPrice(inputUsd) || !isPrice(outputUsd)) {
    throw malformed(path, `${name} needs input and output, numbers from 0`);
  }
  return { inputUsd, outputUsd };
}

function isPrice(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function malformed(path: string, problem: string, cause?: unknown): HxError {
  return new HxError('configuration', `The price table ${path} cannot be read: ${problem}.`, {
    cause,
    hint: 'Write date: YYYY-MM-DD and models: with lines such as openai/gpt-4.1: { input: 2.00, output: 8.00 }.',
  });
}
