/**
 * How rows travel in bulk from Postgres to the lake: the CSV of COPY, with marks that text hardly ever holds, so that
 * almost nothing is quoted. An empty value is null, the empty text is quoted; instants are microseconds since 1970.
 */
export const TRANSFER = { delimiter: '\u001f', quote: '\u0001' } as const;
