import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compact } from '../../src/lake/compaction/compact.js';
import { exportsFolder } from '../../src/lake/files/partition.js';
import { LAKE_COLUMNS } from '../../src/lake/files/schema.js';
import { LocalStorage } from '../../src/lake/storage/local.js';
import { appendRun } from '../../src/lake/writer.js';
import { makeTempFolder, removeFolder } from '../helpers.js';
import { lakeRow } from '../lake/rows.js';
import { engineParts } from './engines.js';
import { ROOT } from './generate.js';

const test = suite('docs/engines.md');

/** The SQL between `<!-- name -->` and `<!-- /name -->`. */
function statementsOf(name: string): string[] {
  const text = readFileSync(join(ROOT, 'docs', 'engines.md'), 'utf8');
  const block = new RegExp(`<!-- ${name} -->\\n\`\`\`sql\\n([\\s\\S]*?)\`\`\`\\n<!-- /${name} -->`).exec(
    text,
  )?.[1];
  return (block ?? '').split(/;\n/).filter((statement) => statement.trim() !== '');
}

test('the statements for DuckDB count each row of the compacted days once, replaced files or not', async () => {
  const dataDir = makeTempFolder();
  const lake = exportsFolder(dataDir);
  const storage = new LocalStorage(lake);
  const append = (number: number, day: string) =>
    appendRun(storage, lakeRow(number, { env: 'production', created_at: new Date(`${day}T12:00:00Z`) }));
  for (const number of [1, 2, 3]) await append(number, '2026-11-01');
  for (const number of [4, 5]) await append(number, '2026-11-02');
  const merge = () =>
    compact({ storage, dataDir, environment: 'production', urgency: 'any', now: () => new Date() });
  await merge();
  await append(6, '2026-11-02');
  await merge();
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const statements = statementsOf('duckdb').map((sql) => sql.replace('s3://bucket/prefix', lake));
    assert.is(statements.length, 3);
    for (const sql of statements.slice(0, -1)) await connection.run(sql);
    const rows = (await connection.runAndReadAll(statements.at(-1) ?? '')).getRowsJS();
    assert.equal(
      rows.map(([day, , runs]) => [(day as Date).toISOString().slice(0, 10), runs]),
      [
        ['2026-11-01', 3n],
        ['2026-11-02', 3n],
      ],
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
    removeFolder(dataDir);
  }
});

test('the tables for Spark and Trino have every column that they can read', () => {
  for (const [name, text] of engineParts()) {
    for (const { name: column, type } of LAKE_COLUMNS) {
      const isThere = new RegExp(`\\b${column} [a-z]`).test(text);
      assert.is(isThere, type !== 'uuid', `${column} for ${name}`);
    }
  }
});

test.run();
