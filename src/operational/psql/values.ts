/** A column of an answer; `type` is the SQL name of its type where that decides how a value is shown. */
export interface AnswerColumn {
  readonly name: string;
  readonly type: string;
}

/** Types, by their number in pg_type, whose values are more than text. */
const TYPES: Readonly<Record<number, string>> = {
  16: 'BOOLEAN',
  20: 'BIGINT',
  21: 'SMALLINT',
  23: 'INTEGER',
  114: 'JSON',
  700: 'FLOAT',
  701: 'DOUBLE',
  1700: 'DECIMAL',
  3802: 'JSON',
};

export function typeName(oid: number): string {
  return TYPES[oid] ?? 'TEXT';
}

/** A value as the server wrote it, turned into what JSON has a word for without losing a digit. */
export function readValue(bytes: Buffer | null, type: string): unknown {
  if (bytes === null) return null;
  const text = bytes.toString('utf8');
  if (type === 'BOOLEAN') return text === 't';
  if (type === 'BIGINT' || type === 'INTEGER' || type === 'SMALLINT') return BigInt(text);
  if (type === 'DOUBLE' || type === 'FLOAT') return Number.isFinite(Number(text)) ? Number(text) : text;
  return text;
}
