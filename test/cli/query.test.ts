import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { packagePath } from '../../src/base/paths.js';
import { runCli } from '../../src/cli/main.js';
import { wordsOf } from '../../src/cli/query/request.js';
import { makeTempFolder, runHx } from '../helpers.js';

const test = suite('hx query');

test('a pipe gets csv, --json one array, --format what it names', async () => {
  const sql = "SELECT 1 AS a, 'x,y' AS b";
  assert.equal(await runHx(['query', sql]), { exitCode: 0, stdout: 'a,b\r\n1,"x,y"\r\n', stderr: '' });
  assert.equal(JSON.parse((await runHx(['query', sql, '--json'])).stdout), [{ a: 1, b: 'x,y' }]);
  assert.is((await runHx(['query', sql, '--format', 'ndjson'])).stdout, '{"a":1,"b":"x,y"}\n');
  assert.is((await runHx(['query', sql, '--format', 'table'])).stdout, 'a  b\n─  ───\n1  x,y\n');
  assert.is(
    (await runHx(['query', sql, '--format', 'markdown'])).stdout,
    '| a | b |\n| --: | --- |\n| 1 | x,y |\n',
  );
});

test('the views of an empty lake answer', async () => {
  const { stdout, exitCode } = await runHx(['query', 'SELECT count(*) AS n FROM checks', '--json']);
  assert.is(exitCode, 0);
  assert.equal(JSON.parse(stdout), [{ n: 0 }]);
});

test('a pipe gets every row', async () => {
  const { stdout } = await runHx(['query', 'FROM range(250000)']);
  const lines = stdout.split('\r\n');
  assert.is(lines.length, 250_002);
  assert.is(lines[250_000], '249999');
});

test('SQL comes from standard input, from a file, or from the argument -', async () => {
  const folder = makeTempFolder();
  writeFileSync(
    join(folder, 'two.sql'),
    "-- a question; with a semicolon\nSELECT 'a;b' AS t; SELECT 2 AS n;\n",
  );
  const expected = 't\r\na;b\r\n\r\nn\r\n2\r\n';
  assert.is((await runHx(['query', '-f', 'two.sql'], { folder })).stdout, expected);
  const stdin = readFileSync(join(folder, 'two.sql'), 'utf8');
  assert.is((await runHx(['query'], { stdin })).stdout, expected);
  assert.is((await runHx(['query', '-'], { stdin })).stdout, expected);
  assert.is((await runHx(['query', '-f', '-'], { stdin })).stdout, expected);
});

test('several statements make one JSON value', async () => {
  const { stdout } = await runHx(['query', 'SELECT 1 AS a; SELECT 2 AS b', '--json']);
  assert.equal(JSON.parse(stdout), [[{ a: 1 }], [{ b: 2 }]]);
});

test('parameters bind as values, each to the statements that mention it', async () => {
  const hostile = "x' OR 1=1 --";
  const argv = ['query', 'SELECT $t::VARCHAR AS t; SELECT $n::INT + 1 AS n', '--param', `t=${hostile}`];
  const { stdout } = await runHx([...argv, '--param', 'n=41', '--json']);
  assert.equal(JSON.parse(stdout), [[{ t: hostile }], [{ n: 42 }]]);
  const stray = await runHx([...argv, '--param', 'n=41', '--param', 'stray=1']);
  assert.is(stray.exitCode, 2);
  assert.match(stray.stderr, /No statement has a parameter "stray"/);
});

test('ready queries are listed and run by name', async () => {
  const listed = JSON.parse((await runHx(['query', '--list', '--json'])).stdout) as {
    name: string;
    question: string;
    example: string;
  }[];
  assert.ok(listed.length >= 12);
  const env = { HX_DATA_DIR: makeTempFolder() };
  for (const { name, question, example } of listed) {
    assert.ok(question.endsWith('?'), question);
    const [, ...argv] = example.split(' ');
    const { exitCode, stderr } = await runHx(argv, { folder: packagePath(), env });
    assert.is(exitCode, 0, `${name}: ${stderr}`);
  }
  const first = listed[0]?.name ?? '';
  assert.match((await runHx(['query', '--list'])).stdout, new RegExp(`@${first}`));
  const asked = '@drift_by_week since=2026-11-01 env=neon;';
  assert.is((await runHx(['query', asked], { env })).exitCode, 0);
  assert.match((await runHx(['query', asked, '--param', 'env=local'], { env })).stderr, /env is given twice/);
  assert.match((await runHx(['query', '@drift_by_week env=mars'], { env })).stderr, /"mars"/);
  const unknown = await runHx(['query', '@no_such_query']);
  assert.is(unknown.exitCode, 2);
  assert.ok(unknown.stderr.includes(first));
});

test('labels are a file or standard input, read by the command', async () => {
  const label = '{"claim": "A", "truth": true}';
  const folder = makeTempFolder();
  writeFileSync(join(folder, 'wrong.jsonl'), `${label}\n{"claim": "B"}\n`);
  const calibration = (labels: string) =>
    runHx(['query', '@calibration', '--param', `labels=${labels}`], { folder, stdin: label });
  assert.is((await calibration('-')).exitCode, 0);
  const cases: [string, RegExp][] = [
    ['missing.jsonl', /Cannot read missing\.jsonl/],
    ['wrong.jsonl', /Line 2 of the labels/],
    ['', /Cannot read/],
  ];
  for (const [labels, message] of cases) {
    const { exitCode, stderr, stdout } = await calibration(labels);
    assert.is(exitCode, 2, labels);
    assert.is(stdout, '');
    assert.match(stderr, message);
  }
  const { exitCode, stderr } = await runHx(['query', '@calibration']);
  assert.is(exitCode, 2);
  assert.match(stderr, /needs a value for labels/);
});

test('words of a shell line keep what is in quotes together', () => {
  assert.equal(wordsOf(`claim_history claim="the moon's side" env='local' x=it's`), [
    ...['claim_history', "claim=the moon's side", 'env=local', "x=it's"],
  ]);
});

test('-o writes whole files, the format by the extension, and nothing to standard output', async () => {
  const folder = makeTempFolder();
  const sql = "SELECT range AS n, 'text' AS t FROM range(3)";
  const csv = await runHx(['query', sql, '-o', 'out.csv'], { folder });
  assert.is(csv.stdout, '');
  assert.is(csv.exitCode, 0);
  assert.is(readFileSync(join(folder, 'out.csv'), 'utf8'), 'n,t\r\n0,text\r\n1,text\r\n2,text\r\n');
  await runHx(['query', sql, '-o', 'out.parquet'], { folder });
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(join(folder, 'out.parquet')) });
  assert.equal(
    rows,
    [0n, 1n, 2n].map((n) => ({ n, t: 'text' })),
  );
  await runHx(['query', sql, '-o', 'out.data', '--format', 'ndjson'], { folder });
  assert.is(readFileSync(join(folder, 'out.data'), 'utf8').split('\n')[1], '{"n":1,"t":"text"}');
});

test('a statement that fails half-way leaves the old file as it was and no other', async () => {
  const folder = makeTempFolder();
  const failing = "SELECT CASE WHEN range = 400000 THEN error('boom') ELSE 'ok' END AS x FROM range(500000)";
  for (const name of ['out.csv', 'out.parquet']) {
    writeFileSync(join(folder, name), 'old');
    const { exitCode, stderr } = await runHx(['query', failing, '-o', name], { folder });
    assert.is(exitCode, 1);
    assert.match(stderr, /boom/i);
    assert.is(readFileSync(join(folder, name), 'utf8'), 'old');
  }
  assert.equal(
    readdirSync(folder).filter((name) => name.includes('out')),
    ['out.csv', 'out.parquet'],
  );
});

test('an SQL error exits 1 with a message and a hint on standard error only', async () => {
  const { exitCode, stdout, stderr } = await runHx(['query', 'SELECT nothing FROM checks']);
  assert.is(exitCode, 1);
  assert.is(stdout, '');
  assert.match(stderr, /nothing/);
  assert.ok(stderr.trim().split('\n').length >= 2);
  const json = await runHx(['query', 'SELEC 1', '--json']);
  assert.is(JSON.parse(json.stderr).error.code, 'sql');
});

test('what cannot be asked exits 2 and says why', async () => {
  const folder = makeTempFolder();
  for (const [argv, message] of [
    [['query', ''], /no SQL to run/],
    [['query', '-- only a comment'.replace('-- ', '/* ').concat(' */')], /no SQL to run/],
    [['query', 'SELECT 1', '--format', 'xml'], /Unknown format "xml"/],
    [['query', 'SELECT 1', '--format', 'parquet'], /to a file only/],
    [['query', 'SELECT 1', '-o', 'result'], /does not say which format/],
    [['query', 'SELECT 1; SELECT 2', '-o', 'r.parquet'], /holds one result/],
    [['query', 'SELECT 1', '-f', 'x.sql'], /given twice/],
    [['query', '-f', 'missing.sql'], /no such file/],
    [['query', 'SELECT 1;\n.mode csv\nSELECT 2'], /\.mode is a command of the shell/],
    [['query', 'SELECT 1', '--param', 'novalue'], /not a parameter/],
    [['query', 'SELECT 1', '--json', '--format', 'csv'], /exclude each other/],
  ] as const) {
    const { exitCode, stdout, stderr } = await runHx([...argv], { folder });
    assert.is(exitCode, 2, stderr);
    assert.is(stdout, '');
    assert.match(stderr, message);
  }
  assert.not.ok(existsSync(join(folder, 'r.parquet')));
});

test('an interrupt stops the running statement and exits 130', async () => {
  const controller = new AbortController();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const endless = 'SELECT range AS n FROM range(1000000000000)';
  stdout.once('data', () => controller.abort(new HxError('interrupted', 'Interrupted.')));
  const exitCode = await runCli(['query', endless], {
    env: {},
    stdin: Readable.from([]),
    ...{ stdout, stderr, colorDepth: 1, folder: makeTempFolder(), signal: controller.signal },
  });
  assert.is(exitCode, 130);
  assert.match(String(stderr.read()), /Interrupted/);
});

test('an interrupt stops a statement that has not yet produced a row', async () => {
  const controller = new AbortController();
  const sql = 'SELECT count(*) FROM range(1000000) a, range(1000000000) b';
  const run = runHx(['query', sql], { signal: controller.signal });
  setTimeout(() => controller.abort(new HxError('interrupted', 'Interrupted.')), 500);
  assert.is((await run).exitCode, 130);
});

test('a terminal gets a table that fits, and is told what was left out', async () => {
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 60 });
  const stderr = new PassThrough();
  let text = '';
  stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  const sql = "SELECT range AS n, repeat('界', 100) AS wide FROM range(1000)";
  const exitCode = await runCli(['query', sql, '--no-color'], {
    env: {},
    stdin: Readable.from([]),
    ...{ stdout, stderr, colorDepth: 1, folder: makeTempFolder(), signal: new AbortController().signal },
  });
  assert.is(exitCode, 0);
  const lines = text.trimEnd().split('\n');
  assert.is(lines.length, 202);
  assert.match(String(stderr.read()), /^1,000 rows, the first 200 shown; long cells cut to fit\. /);
});

test.run();
