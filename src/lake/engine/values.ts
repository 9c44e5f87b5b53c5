import type { DuckDBValue } from '@duckdb/node-api';
import type { DuckdbApi } from './duckdb-api.js';

/**
 * Makes the converter from DuckDB's values to the plain ones that QueryResult promises.
 * It takes the loaded driver, since the driver is native and loaded late.
 */
export function plainValues(api: DuckdbApi): (value: DuckDBValue) => unknown {
  const plain = (value: DuckDBValue): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof api.DuckDBTimestampTZValue) return isoFromMicros(value.micros, 'Z');
    if (value instanceof api.DuckDBTimestampValue) return isoFromMicros(value.micros, '');
    if (value instanceof api.DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex');
    if (value instanceof api.DuckDBListValue || value instanceof api.DuckDBArrayValue) {
      return value.items.map(plain);
    }
    if (value instanceof api.DuckDBStructValue) {
      return Object.fromEntries(Object.entries(value.entries).map(([name, inner]) => [name, plain(inner)]));
    }
    if (value instanceof api.DuckDBMapValue) {
      return Object.fromEntries(value.entries.map((entry) => [String(plain(entry.key)), plain(entry.value)]));
    }
    if (value instanceof api.DuckDBUnionValue || value instanceof api.DuckDBVariantValue) {
      return plain(value.value);
    }
    return String(value);
  };
  return plain;
}

/** The largest instant a `Date` holds; DuckDB's go further. */
const DATE_LIMIT_MS = 8.64e15;
const INFINITE_MICROS = 2n ** 63n - 1n;

/** ISO 8601 from microseconds since 1970: milliseconds, or microseconds where there are any. */
function isoFromMicros(micros: bigint, zone: string): string {
  if (micros === INFINITE_MICROS) return 'infinity';
  if (micros === -INFINITE_MICROS) return '-infinity';
  const rest = ((micros % 1000n) + 1000n) % 1000n;
  const milliseconds = Number((micros - rest) / 1000n);
  if (Math.abs(milliseconds) > DATE_LIMIT_MS) return `${micros} us`;
  const iso = new Date(milliseconds).toISOString().slice(0, -1);
  return `${iso}${rest === 0n ? '' : String(rest).padStart(3, '0')}${zone}`;
}

/** A parameter as DuckDB takes it; undefined for a value of a kind that has no place in SQL. */
export function toDuckdbValue(api: DuckdbApi, value: unknown): DuckDBValue | undefined {
  if (value === null) return null;
  if (value instanceof Date) return new api.DuckDBTimestampTZValue(BigInt(value.getTime()) * 1000n);
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return value;
    default:
      return undefined;
  }
}
