import { type Column, everything, type Rendering, type Result } from './result.js';
import { jsonText } from './value.js';

/** One JSON array with one object per row, a row a line. */
export async function* renderJson({ columns, chunks }: Result): Rendering {
  const write = rowWriter(columns);
  let rows = 0;
  yield '[';
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    yield (rows === 0 ? '\n' : ',\n') + chunk.map(write).join(',\n');
    rows += chunk.length;
  }
  yield rows === 0 ? ']\n' : '\n]\n';
  return everything(rows);
}

/** Newline-delimited JSON: one object per row and line. */
export async function* renderNdjson({ columns, chunks }: Result): Rendering {
  const write = rowWriter(columns);
  let rows = 0;
  for await (const chunk of chunks) {
    if (chunk.length > 0) yield chunk.map((row) => `${write(row)}\n`).join('');
    rows += chunk.length;
  }
  return everything(rows);
}

function rowWriter(columns: readonly Column[]): (row: readonly unknown[]) => string {
  const names = uniqueNames(columns.map(({ name }) => name));
  const keys = names.map((name) => JSON.stringify(name));
  return (row) => {
    const members = columns.map(({ type }, index) => `${keys[index]}:${jsonText(row[index], type)}`);
    return `{${members.join(',')}}`;
  };
}

/** SQL lets columns share a name, an object does not: later ones become `name_2`, `name_3`. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set(names);
  const used = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let count = 2; used.has(unique); count += 1) {
      const candidate = `${name}_${count}`;
      if (!taken.has(candidate)) unique = candidate;
    }
    used.add(unique);
    return unique;
  });
}
