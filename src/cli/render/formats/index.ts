import { extname } from 'node:path';
import { HxError } from '../../../base/errors.js';
import { renderCsv } from './csv.js';
import type { GridOptions } from './grid.js';
import { renderJson, renderNdjson } from './json.js';
import type { Rendering, Result, Shown } from './result.js';

export const TEXT_FORMATS = ['table', 'csv', 'json', 'ndjson', 'markdown', 'chart'] as const;
export type TextFormat = (typeof TEXT_FORMATS)[number];

/** Every output format; parquet is binary and goes to a file only. */
export const FORMATS = [...TEXT_FORMATS, 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

const EXTENSIONS: Readonly<Record<string, Format>> = {
  '.txt': 'table',
  '.csv': 'csv',
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.md': 'markdown',
  '.parquet': 'parquet',
};

/**
 * A format by its name.
 * @throws HxError `usage` for an unknown one.
 */
export function parseFormat(text: string): Format {
  const found = FORMATS.find((format) => format === text);
  if (found === undefined) {
    throw new HxError('usage', `Unknown format "${text}".`, { hint: `Use ${FORMATS.join(', ')}.` });
  }
  return found;
}

/**
 * The format that a file's extension stands for.
 * @param hint how the hint begins when it stands for none: a shell has no options.
 * @throws HxError `usage` when it stands for none.
 */
export function formatOfFile(path: string, hint = 'Add --format, or end'): Format {
  const format = EXTENSIONS[extname(path).toLowerCase()];
  if (format === undefined) {
    throw new HxError('usage', `The name ${path} does not say which format to write.`, {
      hint: `${hint} the name in ${Object.keys(EXTENSIONS).join(', ')}.`,
    });
  }
  return format;
}

/** A result in one of the text formats; only the table and the chart heed the options. */
export async function* renderResult(format: TextFormat, result: Result, options: GridOptions): Rendering {
  if (format === 'csv') return yield* renderCsv(result);
  if (format === 'json') return yield* renderJson(result);
  if (format === 'ndjson') return yield* renderNdjson(result);
  // What measures widths takes as long to load as the first answer, so the formats for programs do without.
  if (format === 'markdown') return yield* (await import('./markdown.js')).renderMarkdown(result);
  if (format === 'table') return yield* (await import('./grid.js')).renderGrid(result, options);
  return yield* (await import('./chart/index.js')).renderChart(result, options);
}

/** What a reader must know about a result that was not printed whole; `undefined` when it was. */
export function shownNote({ shown, rows, cut }: Shown, howToGetAll: string): string | undefined {
  const parts: string[] = [];
  if (rows === undefined) parts.push(`more than ${counted(shown)} rows, the first ${counted(shown)} shown`);
  else if (rows > shown) parts.push(`${counted(rows)} rows, the first ${counted(shown)} shown`);
  if (cut) parts.push('long cells cut to fit');
  return parts.length === 0 ? undefined : `${parts.join('; ')}. ${howToGetAll}`;
}

/** `1 row`, `12,000 rows`. */
export function rowCount(rows: number): string {
  return `${counted(rows)} ${rows === 1 ? 'row' : 'rows'}`;
}

function counted(count: number): string {
  return count.toLocaleString('en-US');
}
