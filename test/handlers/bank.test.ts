import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { banksFolder, loadBank, readBankSums, shippedBanks } from '../../src/handlers/banks.js';
import { bankName } from '../../src/rpl/bank-diff.js';
import { createTestDatabase, makeTempFolder, removeFolder, runHx } from '../helpers.js';

const bank = suite('hx bank');

let folder: string;
bank.before.each(() => {
  folder = makeTempFolder();
});
bank.after.each(() => removeFolder(folder));

const hx = (...argv: string[]) => runHx(argv, { folder });

/** Writes a copy of a shipped bank with some text replaced. */
function copyOf(name: string, replace: readonly (readonly [string, string])[]): string {
  let text = readFileSync(join(banksFolder(), `${name}.yaml`), 'utf8');
  for (const [from, to] of replace) {
    assert.ok(text.includes(from), `${name} holds ${from}`);
    text = text.replace(from, to);
  }
  writeFileSync(join(folder, 'mine.yaml'), text);
  return 'mine.yaml';
}

bank('every shipped bank is written down, well formed and has nothing to mend', async () => {
  const sums = await readBankSums();
  const names = await shippedBanks();
  assert.equal(names, ['plain', 'wide']);
  for (const name of names) {
    const loaded = await loadBank(name, folder);
    assert.is(sums.get(bankName(loaded)), loaded.hash);
    const { exitCode, stdout } = await hx('bank', 'lint', name, '--json');
    assert.is(exitCode, 0);
    assert.equal(JSON.parse(stdout), { name, bank: bankName(loaded), findings: [] });
  }
  const texts = await Promise.all(names.map(async (name) => (await loadBank(name, folder)).templates));
  assert.equal(
    texts.map(({ length }) => length),
    [16, 32],
  );
  assert.is(new Set(texts.flat().map(({ text }) => text)).size, 48);
});

bank('list and show tell what --bank takes', async () => {
  const listed = JSON.parse((await hx('bank', 'list', '--json')).stdout);
  assert.equal(
    listed.map((one: { name: string; templates: number; is_default: boolean }) => [
      one.name,
      one.templates,
      one.is_default,
    ]),
    [
      ['plain', 16, true],
      ['wide', 32, false],
    ],
  );
  assert.match((await hx('bank', 'list')).stdout, /plain {2}plain@1, 16 templates, the default/);
  const { stdout } = await hx('bank', 'show', 'wide');
  assert.match(stdout, /wide@1 {2}32 templates/);
  assert.match(stdout, /bet-insurer {2}\(bet\)/);
  assert.is((await hx('bank', 'show', 'none')).exitCode, 2);
});

bank(
  'a changed bank under a released version is refused wherever it is used, and lint says why',
  async () => {
    const path = copyOf('plain', [['How probable is it that', 'How likely is it that']]);
    const checked = await hx('research', 'A claim', '--model', 'simulator/default', '--bank', path);
    assert.is(checked.exitCode, 1);
    assert.match(checked.stderr, /plain@1 was changed under its version/);
    const lint = await hx('bank', 'lint', path);
    assert.is(lint.exitCode, 1);
    assert.match(lint.stdout, /error {2}the content of plain@1 is not the released one/);
    const diff = await hx('bank', 'diff', 'plain', path);
    assert.is(diff.exitCode, 1);
    assert.match(diff.stdout, /reworded {2}direct-probability\n {3}- How probable/);
    assert.match(diff.stdout, /15 templates unchanged/);
  },
);

bank('under a new version it is accepted', async () => {
  const path = copyOf('plain', [
    ['version: "1"', 'version: "2"'],
    ['How probable is it that', 'How likely is it that'],
  ]);
  const { exitCode, stdout } = await hx(
    'research',
    'A claim',
    '--model',
    'simulator/default',
    '--bank',
    path,
    '--json',
  );
  assert.is(exitCode, 0);
  assert.is(JSON.parse(stdout).bank, 'plain@2');
  assert.is((await hx('bank', 'diff', 'plain', path)).exitCode, 0);
});

bank("a user's bank is refused once measurements under its version asked something else", async () => {
  const path = copyOf('plain', [['id: plain', 'id: mine']]);
  const measure = () => hx('research', 'A claim', '--model', 'simulator/default', '--bank', path);
  assert.is((await measure()).exitCode, 0);
  assert.is((await measure()).exitCode, 0);
  const text = readFileSync(join(folder, path), 'utf8');
  writeFileSync(join(folder, path), text.replace('How probable is it that', 'How likely is it that'));
  const { exitCode, stderr } = await measure();
  assert.is(exitCode, 1);
  assert.match(stderr, /mine@1 was changed under its version/);
});

bank('hx check refuses it as well, whichever folder it comes from', async () => {
  const { url, drop } = await createTestDatabase({ environment: 'local' });
  const check = () =>
    runHx(['check', 'A claim', '--model', 'simulator/default', '--bank', 'mine.yaml'], {
      folder,
      env: { DATABASE_URL: url },
    });
  copyOf('wide', [['id: wide', 'id: mine']]);
  assert.is((await check()).exitCode, 0);
  copyOf('wide', [
    ['id: wide', 'id: mine'],
    ['What are the chances', 'What is the chance'],
  ]);
  const { exitCode, stderr } = await check();
  await drop();
  assert.is(exitCode, 1);
  assert.match(stderr, /mine@1 was changed under its version/);
});

bank('a bank that is no YAML is named with its line, points to lint, and is a finding there', async () => {
  const path = join(folder, 'own.yaml');
  writeFileSync(path, 'id: own\nversion: "1\nsystem: x\n');
  const used = await runHx(['research', 'A claim', '--model', 'simulator/default', '--bank', path]);
  assert.is(used.exitCode, 2);
  assert.match(
    used.stderr,
    /^hx: Cannot read the prompt bank own\.yaml: line \d: .+\n {4}hx bank lint \S+own\.yaml\n$/,
  );
  const lint = await runHx(['bank', 'lint', path]);
  assert.is(lint.exitCode, 1);
  assert.match(lint.stdout, /^error {2}line \d: /);
});

bank('a malformed bank is a finding of lint', async () => {
  const path = copyOf('plain', [['Claim: {CLAIM}', 'Claim:']]);
  const { exitCode, stdout } = await hx('bank', 'lint', path, '--json');
  assert.is(exitCode, 1);
  assert.match(JSON.parse(stdout).findings[0].problem, /direct-probability must contain \{CLAIM\} once/);
});

bank('a bank that is no object is named without an empty path', async () => {
  const path = join(makeTempFolder(), 'text.yaml');
  writeFileSync(path, 'hello\n');
  const { exitCode, stderr } = await runHx(['check', 'A', '--model', 'simulator/default', '--bank', path]);
  assert.is(exitCode, 2);
  assert.match(stderr, 'is malformed: Expected an object');
});

bank('banks.sum is up to date', async () => {
  const { exitCode, stdout } = await hx('bank', 'sum', '--json');
  assert.is(exitCode, 0);
  assert.equal(JSON.parse(stdout).added, []);
});

bank.run();
