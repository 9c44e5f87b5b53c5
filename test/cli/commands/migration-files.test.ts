import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RULE_NAMES } from '../../../src/operational/schema/lint/names.js';
import { makeTempFolder, removeFolder, runHx } from '../../helpers.js';

const test = suite('hx migrate lint and hx migrate new');
let folder: string;
test.before(() => {
  folder = makeTempFolder();
  writeFileSync(join(folder, 'unsafe.sql'), 'select 1;\ndrop table users;\n');
  writeFileSync(join(folder, 'wrong.sql'), 'selec 1;\n');
});
test.after(() => removeFolder(folder));

test('our own migrations are safe, and lint needs no database to say so', async () => {
  const { exitCode, stdout, stderr } = await runHx(['migrate', 'lint']);
  assert.is(exitCode, 0, stdout);
  assert.match(stdout, /^\d+ migrations: nothing unsafe\n$/);
  assert.is(stderr, '');
});

test('a finding: exit 1, its place, what happens and the safe way; the same as JSON', async () => {
  const file = join(folder, 'unsafe.sql');
  const { exitCode, stdout } = await runHx(['migrate', 'lint', file, '0003_checks.sql']);
  assert.is(exitCode, 1);
  assert.match(stdout, /^unsafe\.sql:2 {2}drop-table {2}users\n {3}Its data is gone.*\n {3}Safe: Release/);
  assert.match(stdout, /^1 finding in 2 migrations$/m);
  const json = await runHx(['migrate', 'lint', file, '--json']);
  assert.is(json.exitCode, 1);
  const { files, findings } = JSON.parse(json.stdout);
  assert.equal([files, findings[0].rule, findings[0].line], [[file], 'drop-table', 2]);
});

test('what cannot be read or parsed says why', async () => {
  for (const [name, exitCode, words] of [
    ['none.sql', 2, /Cannot read .*none\.sql: there is no such file/],
    ['', 2, /it is a folder/],
    ['wrong.sql', 1, /wrong\.sql:1:1: syntax error at or near "selec"/],
  ] as const) {
    const run = await runHx(['migrate', 'lint', join(folder, name)]);
    assert.is(run.exitCode, exitCode, name);
    assert.is(run.stdout, '');
    assert.match(run.stderr, words);
  }
});

test('--rules lists every rule', async () => {
  const text = await runHx(['migrate', 'lint', '--rules']);
  const json = await runHx(['migrate', 'lint', '--rules', '--json']);
  assert.is(text.exitCode, 0);
  assert.equal(
    JSON.parse(json.stdout).map(({ name }: { name: string }) => name),
    [...RULE_NAMES],
  );
  for (const name of RULE_NAMES) assert.match(text.stdout, new RegExp(`^${name} {2}`, 'm'));
});

test('a bad name for a migration: exit 2 and an example', async () => {
  const { exitCode, stderr } = await runHx(['migrate', 'new', 'Add-Notes']);
  assert.is(exitCode, 2);
  assert.match(stderr, /"Add-Notes" is not a name for a migration.*\n.*hx migrate new add_notes/);
});

test.run();
