/**
 * A value as one cell of text: numbers as JavaScript writes them, nested values as JSON. NULL is `undefined`,
 * for each format has its own way to show it.
 */
export function cellText(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'object') return jsonText(value);
  return String(value);
}

/**
 * A value as JSON that loses nothing: whole numbers beyond 2^53 and numbers that JSON has no word for (NaN,
 * Infinity) become strings; text of a JSON column is embedded as the JSON it is.
 */
export function jsonText(value: unknown, type = ''): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'bigint') return isExact(value) ? String(value) : `"${value}"`;
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : `"${value}"`;
  if (typeof value === 'string') return type === 'JSON' ? embeddedJson(value) : JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => jsonText(item)).join(',')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${jsonText(item)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}

/** Whether values of this type read better flush right. */
export function isNumeric(type: string): boolean {
  return /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL)\b/.test(type) && !type.endsWith(']');
}

function isExact(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
}

/** JSON text as it is, so that its numbers keep their digits; line breaks can only be white space in it. */
function embeddedJson(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return JSON.stringify(text);
  }
  return text.replace(/[\r\n]+/g, ' ').trim();
}
