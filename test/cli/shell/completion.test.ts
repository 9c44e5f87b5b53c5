import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { commonStart } from '../../../src/cli/shell/completion/candidates.js';
import { completionFor } from '../../../src/cli/shell/completion/completion.js';
import { Menu } from '../../../src/cli/shell/completion/menu.js';
import { loadVocabulary, type Vocabulary } from '../../../src/cli/shell/completion/vocabulary.js';
import { editorOf } from '../../../src/cli/shell/editor/text.js';
import { KEYWORDS } from '../../../src/cli/sql/keywords.js';
import { allowedFunctions } from '../../../src/lake/engine/allowed-functions.js';
import { openLakeEngine } from '../../../src/lake/engine/engine.js';
import { makeTempFolder } from '../../helpers.js';

const test = suite('completion in the shell');

const VOCABULARY: Vocabulary = {
  tables: [
    {
      name: 'checks',
      columns: [
        { name: 'claim', type: 'VARCHAR' },
        { name: 'cost', type: 'DOUBLE' },
      ],
    },
    {
      name: 'runs',
      columns: [
        { name: 'clock', type: 'TIMESTAMP' },
        { name: 'odd name', type: 'INTEGER' },
      ],
    },
  ],
  functions: [
    { name: 'count', isTable: false, isValue: true },
    { name: 'generate_series', isTable: true, isValue: true },
    { name: 'glob', isTable: true, isValue: false },
    { name: 'greatest', isTable: false, isValue: true },
  ],
};

const SESSION = {
  complete: async () => ['threads', 'setting'],
  readyQueries: () => [
    {
      name: 'drift',
      question: 'What drifted?',
      parameters: [
        { name: 'since', type: 'date' as const, default: '2026-01-01', meaning: 'The first day' },
        { name: 'env', type: 'environments' as const, default: 'all', meaning: 'Where' },
        { name: 'base', type: 'environment' as const, meaning: 'Where it began' },
        { name: 'labels', type: 'labels' as const, meaning: 'Claims' },
      ],
      note: '',
      example: '',
      sql: '',
    },
  ],
};

/** Candidates at the `|` of the text. */
async function at(marked: string, folder = '.'): Promise<string[]> {
  const [before = '', after = ''] = marked.split('|');
  const { candidates } = await completionFor({ before, after, folder }, SESSION, VOCABULARY);
  return candidates.map(({ text }) => text);
}

test('columns of the tables that the statement names, wherever it names them', async () => {
  assert.equal(await at('select cl| from checks'), ['claim']);
  assert.equal(await at('select cl| from runs'), ['clock']);
  assert.equal(await at('select cl|'), ['claim', 'clock']);
  assert.equal(await at('select 1 from checks; select cl| from runs'), ['clock']);
});

test('columns after an alias, a name or a quoted alias with a dot', async () => {
  assert.equal(await at('select c.| from checks c, runs r'), ['claim', 'cost']);
  assert.equal(await at('select r.cl| from checks c join runs as r on true'), ['clock']);
  assert.equal(await at('from checks where checks.co|'), ['cost']);
  assert.equal(await at('select "r".o| from runs "r"'), ['"odd name"']);
  assert.equal(await at('select unknown.cl|'), ['claim', 'clock']);
  const big = 'with big as (select claim, count(*) as clicks from checks group by 1)';
  assert.equal(await at(`${big} select b.cl| from big b`), ['clicks', 'claim']);
  assert.equal(await at('select s.total| from (select 1 as total) s'), ['total']);
});

test('views and what WITH names where a table belongs, functions and keywords elsewhere', async () => {
  assert.equal(await at('select * from ch|'), ['checks']);
  assert.equal(await at('with chosen as (select 1) select * from ch|'), ['chosen', 'checks']);
  assert.equal(await at('from runs, ch|'), ['checks']);
  assert.equal(await at('from g|'), ['generate_series', 'glob']);
  assert.equal(await at('select g|'), ['group', 'grouping', 'generate_series', 'greatest']);
  assert.equal(await at('select coun|'), ['count']);
  assert.equal(await at('from checks WH|'), ['WHERE', 'WHEN']);
  assert.equal(await at('select 1 as total from checks order by tot|'), ['total']);
  // A name that is a keyword too needs its quotes.
  assert.equal(await at('select 1 as "ordER" group by ord|'), ['"ordER"', 'order']);
});

test('nothing in strings and comments, and what only the engine knows last', async () => {
  assert.equal(await at("select 'cl|"), []);
  assert.equal(await at('select 1 -- cl|'), []);
  assert.equal(await at('/* cl|'), []);
  assert.equal(await at('select thr|'), ['threads']);
});

test('commands, their arguments, ready queries and their parameters', async () => {
  assert.equal(await at('.sch|'), ['.schema']);
  assert.equal(await at('.schema ch|'), ['checks']);
  assert.equal(await at('.timer o|'), ['on', 'off']);
  assert.equal(await at('@d|'), ['@drift']);
  assert.equal(await at('@drift s|'), ['since=']);
  assert.equal(await at('@drift since=2026-11-01 en|'), ['env=']);
  assert.equal(await at('@drift env=|'), ['local', 'development', 'production', 'all']);
  assert.equal(await at('@drift since=2026-11-01 base=pr|'), ['production']);
  assert.equal(await at('@drift base=a|'), []);
  assert.equal(await at('@drift since=|'), []);
  assert.equal(await at("select 'x';\n.mode ta|"), ['table']);
  assert.equal(await at('.mode csv\nselect cl| from runs'), ['clock']);
  const folder = makeTempFolder();
  assert.equal(await at('@drift labels=re|', folder), []);
  mkdirSync(join(folder, 'reports'));
  writeFileSync(join(folder, 'reports', 'weekly.sql'), '');
  assert.equal(await at('.read re|', folder), ['reports/']);
  assert.equal(await at('.read reports/|', folder), ['weekly.sql']);
  assert.equal(await at('@drift labels=reports/we|', folder), ['weekly.sql']);
  assert.equal(await at('.read nowhere/|', folder), []);
});

test('the vocabulary is what the engine has, and every keyword is one of its', async () => {
  const engine = await openLakeEngine({ dataDir: makeTempFolder() });
  try {
    const { signal } = new AbortController();
    const session = {
      tables: () => engine.tables(),
      functions: () => allowedFunctions(engine, signal),
    };
    const { tables, functions } = await loadVocabulary(session, signal);
    assert.ok(tables.some(({ name, columns }) => name === 'checks' && columns.length > 10));
    const kinds = new Map(functions.map(({ name, isTable, isValue }) => [name, [isTable, isValue]]));
    assert.equal(
      ['count', 'range', 'read_parquet'].map((name) => kinds.get(name)),
      [
        [false, true],
        [true, true],
        [true, false],
      ],
    );
    // What the lake refuses is not offered.
    assert.equal(
      ['checkpoint', 'duckdb_secrets', 'write_log'].map((name) => kinds.get(name)),
      [undefined, undefined, undefined],
    );
    const words = await engine.run('SELECT upper(keyword_name) FROM duckdb_keywords()');
    const known = new Set<unknown>();
    for await (const rows of words.chunks) for (const [word] of rows) known.add(word);
    // Words of the grammar that DuckDB reads by position and does not list.
    const unlisted = KEYWORDS.filter((word) => !known.has(word) && word !== 'DATE');
    assert.equal(unlisted, []);
  } finally {
    engine.close();
  }
});

test('the menu goes round, shows the choice in the text and gives it back', () => {
  const candidates = Array.from({ length: 30 }, (_, index) => ({
    text: `name_${index}`,
    detail: `number ${index}`,
  }));
  assert.is(commonStart(candidates), 'name_');
  const menu = new Menu(editorOf('select na'), 2, candidates);
  assert.is(menu.step(1).text, 'select name_0');
  assert.is(menu.step(-1).text, 'select name_29');
  assert.match(menu.status(), /^30\/30 {2}number 29$/);
  const rows = menu.rows(40, 3);
  assert.is(rows.length, 3);
  assert.equal(
    rows
      .flat()
      .filter(({ selected }) => selected)
      .map(({ text }) => text.trim()),
    ['name_29'],
  );
  assert.is(menu.original.text, 'select na');
});

test.run();
