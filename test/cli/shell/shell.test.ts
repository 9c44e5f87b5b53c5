import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packagePath } from '../../../src/base/paths.js';
import { makeTempFolder } from '../../helpers.js';
import { HX_QUERY, inShell, Pty } from './pty.js';

const ESCAPE = '\u001b';

const test = suite('shell in a terminal');

test('a statement of several lines, wide text, errors with a caret, history, and leaving with Ctrl-D', async () => {
  await inShell({}, async (pty) => {
    pty.line('select 40 + 2 as answer,');
    await pty.sees(/^\.\.> ?$/m);
    pty.line("'日本 👩‍🚀' as wide;");
    await pty.sees(
      /hx> select 40 \+ 2 as answer,\n\.\.> '日本 .*;\nanswer {2}wide\n─+ {2}─+\n {4}42 {2}日本 .*\n1 row\nhx>/,
    );
    pty.line('select * from nowhere;');
    await pty.sees(/hx: .*nowhere.*\n {4}select \* from nowhere\n {18}\^\n.*\nhx>$/);
    pty.line("select 'still here' as t;");
    await pty.sees(/^still here\n1 row\nhx>$/m);
    pty.key('C-d');
    const screen = await pty.sees(/left 0[\s\S]*icanon[\s\S]*echo/);
    assert.not.match(screen, /-icanon|-echo\b/);
    const history = readFileSync(join(pty.folder, 'data', 'query_history'), 'utf8')
      .trim()
      .split('\n');
    assert.is(JSON.parse(history[0] ?? ''), "select 40 + 2 as answer,\n'日本 👩‍🚀' as wide;");
  });
});

test('Ctrl-C stops a running statement and stays; idle it clears the line', async () => {
  await inShell({}, async (pty) => {
    pty.line('select count(*) from range(1000000) a, range(1000000000) b;');
    await pty.sees(/running \d+\.\d s, Ctrl-C stops it/);
    pty.line("select 'typed ahead' as t;");
    pty.key('C-c');
    await pty.sees(/hx: Interrupted\.\nhx>$/);
    pty.type('select nonsense');
    await pty.sees(/hx> select nonsense$/);
    pty.key('C-c');
    await pty.sees(/hx> select nonsense\^C\nhx>$/);
    pty.line("select 'alive' as t;");
    assert.not.match(await pty.sees(/^alive$/m), /typed ahead/);
    pty.line('.mode csv');
    pty.line('from range(100000000);');
    await pty.sees(/^\d{5,}$/m);
    pty.key('C-c');
    await pty.sees(/hx: Interrupted\.\nhx>$/);
  });
});

test('Ctrl-Z goes back to the shell around it with the terminal as it was, and fg returns to what was typed', async () => {
  const pty = new Pty({ resumes: true });
  try {
    await pty.sees(/hx>$/);
    pty.type('select 1');
    await pty.sees(/hx> select 1$/);
    pty.key('C-z');
    // The shell around it says how it was left, and brings it back.
    await pty.sees(/left 148\n icanon +echo[\s\S]*hx> select 1$/);
    pty.line(' + 1 as two;');
    await pty.sees(/^ *2$/m);
  } finally {
    pty.close();
  }
});

test('Ctrl-Z in the pager gives the screen back too, and fg returns to the page', async () => {
  const pty = new Pty({ resumes: true });
  try {
    await pty.sees(/hx>$/);
    pty.line('from range(1000);');
    await pty.sees(/row 1 of 1,000 rows/);
    pty.key('Down', 'C-z');
    await pty.sees(/^ +3$[\s\S]*row 2 of 1,000 rows/m);
    pty.type('q');
    const screen = await pty.sees(/1,000 rows, 1 column, shown in the pager\nhx>$/);
    assert.match(screen, /left 148\n icanon +echo/);
  } finally {
    pty.close();
  }
});

test('_ stands for the last result, of a ready query with parameters and of results of results too', async () => {
  await inShell({}, async (pty) => {
    pty.line('select * from _;');
    await pty.sees(/hx: .*_[\s\S]*hx>$/);
    pty.line('select i, i % 3 as third from range(10) r(i);');
    await pty.sees(/10 rows\nhx>$/);
    pty.line('describe select 1 as x;');
    pty.line('with more as (select 100 as plus) select third, count(*) as n, max(i) + plus as top -- _');
    pty.line('from _, more group by third, plus order by third;');
    await pty.sees(
      /third {2}n {2}top\n─+ {2}─ {2}─+\n {4}0 {2}4 {2}109\n {4}1 {2}3 {2}107\n {4}2 {2}3 {2}108\n3 rows/,
    );
    pty.line('select sum(n) as all_of_them from _;');
    await pty.sees(/all_of_them\n─+\n {9}10\n/);
    pty.line('select nothing_like_it from _;');
    await pty.sees(/ {4}select nothing_like_it from _\n {11}\^/);
    pty.line('explain select * from _ where all_of_them = 11;');
    await pty.sees(/PROJECTION[\s\S]*hx>$/);
    pty.line('@claim_history claim=nobody');
    await pty.sees(/0 rows\nhx>$/);
    pty.line('select count(*) as none from _;');
    await pty.sees(/none\n─+\n {3}0\n/);
  });
});

test('editing: words, ends, deleting and putting back, undo, and the cursor beside wide characters', async () => {
  await inShell({}, async (pty) => {
    pty.type('select 日本語 👩‍🚀 from');
    await pty.sees(/from$/);
    pty.key('C-a', 'M-f', 'Right');
    await pty.at('11,1');
    pty.key('Right');
    await pty.at('13,1');
    pty.key('M-f', 'Right');
    await pty.at('18,1');
    pty.key('Right');
    // tmux and we have to agree that the astronaut takes two columns, or the cursor stands beside the text.
    await pty.at('20,1');
    pty.key('End', 'C-w', 'C-u', 'C-y');
    await pty.sees(/hx> select 日本語 👩.*$/);
    pty.key('C-a', 'C-k');
    await pty.sees(/hx>$/);
    pty.key('C-_');
    await pty.sees(/hx> select 日本語 👩.*$/);
    pty.key('C-c');
    pty.line('select 1 as a,');
    pty.type('2 as b;');
    pty.key('Up', 'Home', 'M-f', 'M-d');
    pty.type(' 5');
    await pty.sees(/hx> select 5 as a,\n\.\.> 2 as b;$/);
    pty.key('Enter');
    await pty.sees(/^5 {2}2\n1 row\nhx>$/m);
  });
});

test('history with the arrows and with Ctrl-R, in the next session too', async () => {
  await inShell({}, async (pty) => {
    pty.line("select 'first' as t;");
    await pty.sees(/^first\n1 row\nhx>$/m);
    pty.line("select 'second' as t;");
    await pty.sees(/^second\n1 row\nhx>$/m);
    pty.type('draft');
    pty.key('Up', 'Up');
    await pty.sees(/hx> select 'first' as t;$/);
    pty.key('Down', 'Down');
    await pty.sees(/hx> draft$/);
    pty.key('C-u', 'C-d');
    await pty.sees(/left 0/);
    await inShell({ HX_DATA_DIR: join(pty.folder, 'data') }, async (next) => {
      next.key('C-r');
      await next.sees(/^search: /m);
      next.type('t as');
      next.type(' ');
      next.key('BSpace', 'BSpace', 'BSpace', 'BSpace', 'BSpace');
      next.type('as t');
      await next.sees(/hx> select 'second' as t;\nsearch: as t/);
      next.key('C-r');
      await next.sees(/hx> select 'first' as t;\nsearch: as t/);
      next.key('C-g');
      await next.sees(/hx>$/);
      next.key('C-r');
      next.type('first');
      await next.sees(/hx> select 'first' as t;\nsearch: first/);
      next.key('Enter');
      await next.sees(/^first\n1 row\nhx>$/m);
    });
  });
});

test('Tab completes names, opens a menu of several, goes round in it, and Esc takes it back', async () => {
  await inShell({}, async (pty) => {
    pty.type('select count(*) as n from research_r');
    pty.key('Tab');
    await pty.sees(/from research_runs$/);
    pty.line(';');
    await pty.sees(/^0\n1 row\nhx>$/m);
    pty.type('.sch');
    pty.key('Tab');
    pty.line('checks');
    await pty.sees(/^claim +VARCHAR$/m);
    pty.type('select c.cl from checks c');
    pty.key('Home', 'M-f', 'M-f', 'M-f', 'Tab');
    await pty.sees(/hx> select c\.claim from checks c\nclaim +claim_hash\n2 candidates: Tab chooses$/);
    pty.key('Tab', 'Tab');
    await pty.sees(/hx> select c\.claim_hash from checks c\n.*\n2\/2 {2}VARCHAR, column of checks$/);
    pty.key('BTab');
    await pty.sees(/\n1\/2 {2}VARCHAR/);
    pty.key('Tab');
    await pty.sees(/hx> select c\.claim_hash from checks c\n.*\n2\/2/);
    pty.key('Escape');
    await pty.sees(/hx> select c\.claim from checks c$/);
    pty.key('Tab', 'Tab', 'Tab');
    await pty.sees(/2\/2/);
    pty.type(' as h');
    await pty.sees(/hx> select c\.claim_hash as h from checks c$/);
  });
});

test('pasted statements wait for Enter where the terminal brackets a paste, and run where it does not', async () => {
  await inShell({}, async (pty) => {
    const path = join(pty.folder, 'paste.sql');
    writeFileSync(path, "select 'one' as a;\nselect 'two' as b,\n\t\t'three' as c;\n");
    pty.tmux('load-buffer', path);
    pty.tmux('paste-buffer', '-t', 's');
    await pty.sees(/^one\n1 row\n[\s\S]*^two {2}three\n1 row\nhx>$/m);
    pty.tmux('paste-buffer', '-p', '-t', 's');
    await pty.sees(/hx> select 'one' as a;\n\.\.> select 'two' as b,\n\.\.> {9}'three' as c;\n\.\.>$/);
    pty.key('Enter');
    await pty.sees(/\.\.>\na\n─+\none\n1 row\nb +c\n─+ {2}─+\ntwo {2}three\n1 row\nhx>$/);
    pty.paste(
      ".mode csv\nselect 'one' as a;\n.mode ndjson\n@claim_history claim=nobody\nselect 'two' as b;\n",
    );
    await pty.sees(/\.\.> select 'two' as b;\n\.\.>$/);
    pty.key('Enter');
    await pty.sees(/\.\.>\na\none\n\{"b":"two"\}\nhx>$/);
    pty.paste(".mode table\n.mod csv\nselect 'never' as c;");
    pty.key('Enter');
    await pty.sees(/hx: There is no command \.mod\.\n.*\nhx>$/);
    const lines = Array.from({ length: 500 }, (_, line) => `\t${line + 1} as n_${line}`);
    pty.paste(`select\n${lines.join(',\n')};`);
    await pty.sees(/\.\.> {5}500 as n_499;\nline 501 of 501$/);
    assert.not.match(pty.screen(), /candidates/);
    pty.key('Enter');
    await pty.sees(/row 1 of 1 rows {2}columns 1-\d+ of 500 ›/);
    pty.type('q');
    await pty.sees(/1 row, 500 columns, shown in the pager\nhx>$/);
  });
});

test('commands: modes, timer, width, ready queries, files, a chart, a plan', async () => {
  await inShell({}, async (pty) => {
    pty.line('.mode ndjson');
    pty.line('.timer on');
    pty.line("select 'x' as t;");
    await pty.sees(/^\{"t":"x"\}\nTime: .* m?s\nhx>$/m);
    pty.line('.timer off');
    pty.line('.output out.csv');
    pty.line('from range(3);');
    await pty.sees(/Wrote .*out\.csv\./);
    assert.is(readFileSync(join(pty.folder, 'out.csv'), 'utf8'), 'range\r\n0\r\n1\r\n2\r\n');
    writeFileSync(join(pty.folder, 'file.sql'), "select 'from file' as t;");
    pty.line('.read file.sql');
    await pty.sees(/^\{"t":"from file"\}$/m);
    // The folder is the home folder too.
    pty.line('.output ~/home.csv');
    pty.line("select 'at home' as t;");
    await pty.sees(/Wrote .*\/home\.csv\./);
    assert.is(readFileSync(join(pty.folder, 'home.csv'), 'utf8'), 't\r\nat home\r\n');
    pty.type('.read ~/fil');
    pty.key('Tab');
    await pty.sees(/hx> \.read ~\/file\.sql$/);
    pty.key('Enter');
    await pty.sees(/file\.sql\n\{"t":"from file"\}\nhx>$/);
    writeFileSync(join(pty.folder, 'inner.sql'), ".mode csv\nselect 'inner' as t;");
    writeFileSync(join(pty.folder, 'outer.sql'), ".read inner.sql\n.mode ndjson\nselect 'outer' as t;");
    pty.line('.read outer.sql');
    await pty.sees(/^t\ninner\n\{"t":"outer"\}\nhx>$/m);
    writeFileSync(join(pty.folder, 'itself.sql'), '.read itself.sql');
    pty.line('.read itself.sql');
    await pty.sees(/^hx: 20 files read each other, the last of them itself\.sql\.$/m);
    pty.line('.read nowhere.sql');
    await pty.sees(
      /^hx: Cannot read nowhere\.sql: there is no such file\.\n {4}Give the path of a text file\.$/m,
    );
    pty.line('.queries');
    await pty.sees(/^@prior_shift$/m);
    pty.line('.mode csv');
    pty.line('@prior_shift env_b=development');
    await pty.sees(/^claim,model,/m);
    pty.line('.mode chart');
    pty.line("select * from (values ('up', 2), ('down', -1)) t(way, n);");
    await pty.sees(/^way +n\nup +2 +│█+\ndown +-1 +█+│\nhx>$/m);
    pty.line("select 'no number' as t;");
    await pty.sees(/hx: A chart takes two columns/);
    pty.line('.mode table');
    pty.line('.width 8');
    pty.line("select 'a long text' as t;");
    await pty.sees(/^a long …\n1 row; long cells cut to fit\..*\nhx>$/m);
    pty.line('explain select 42;');
    await pty.sees(/┌─+┐[\s\S]*hx>$/);
    pty.line('.widt 8');
    await pty.sees(/There is no command \.widt\./);
    pty.line('.help');
    await pty.sees(/^Ctrl-R, Ctrl-S/m);
    pty.line('.exit');
    await pty.sees(/left 0/);
  });
});

test('a million rows: the pager keeps a part, a file gets all, and memory stays bounded', async () => {
  await inShell({}, async (pty) => {
    pty.line("select i, 'text ' || i as t from range(1000000) r(i);");
    await pty.sees(/row 1 of more than 100,000 rows; \.output FILE writes all/);
    pty.type('q');
    await pty.sees(/100,000\+ rows, 2 columns, shown in the pager\nhx>$/);
    pty.line('.output out.csv');
    pty.line("select i, 'text ' || i as t from range(1000000) r(i);");
    await pty.sees(/Wrote .*out\.csv\./);
    const text = readFileSync(join(pty.folder, 'out.csv'), 'utf8');
    assert.ok(text.endsWith('999999,text 999999\r\n'));
    if (!existsSync('/proc/self/status')) return;
    const status = readFileSync(`/proc/${readFileSync(join(pty.folder, 'pid'), 'utf8')}/status`, 'utf8');
    const peakMb = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
    assert.ok(peakMb < 600, `${peakMb} MB at the peak`);
  });
});

test('the shell begins in the format that was asked for', async () => {
  const pty = new Pty({ argv: '--format ndjson' });
  try {
    await pty.sees(/^hx> ?$/m);
    pty.line("select 'x' as t;");
    await pty.sees(/^\{"t":"x"\}\nhx>$/m);
    pty.line('.exit');
    await pty.sees(/left 0/);
  } finally {
    pty.close();
  }
  const stray = new Pty({ argv: '--param a=1' });
  try {
    await stray.sees(/hx: --param a=1 belongs to a statement, and there is none\.[\s\S]*left 2/);
  } finally {
    stray.close();
  }
});

test('SIGTERM leaves the terminal as it was', async () => {
  await inShell({}, async (pty) => {
    const pid = Number(readFileSync(join(pty.folder, 'pid'), 'utf8'));
    process.kill(pid, 'SIGTERM');
    await pty.sees(/left 130/);
    assert.not.match(await pty.sees(/echo/), /-icanon|-echo/);
  });
});

test('a dumb terminal gets a prompt that only prints lines', async () => {
  const pty = new Pty({ variables: { TERM: 'dumb' } });
  try {
    await pty.sees(/^hx> ?$/m);
    pty.line("select 'plain'");
    await pty.sees(/^\.\.> ?$/m);
    pty.line('as t;');
    await pty.sees(/^plain\n1 row\nhx> ?$/m);
    pty.line('from range(1000);');
    await pty.sees(/^1,000 rows, the first 200 shown\./m);
    pty.line('.exit');
    await pty.sees(/left 0/);
  } finally {
    pty.close();
  }
});

test('a history that cannot be read stops nobody', async () => {
  const prepare = (folder: string) => mkdirSync(join(folder, 'data', 'query_history'), { recursive: true });
  for (const [TERM, first] of [
    ['dumb', /hx: Cannot read the history [\s\S]*remembered until you leave\.\nhx>/],
    ['tmux-256color', /hx: Cannot read the history [\s\S]*remembered until you leave\.\nSQL over.*\nhx>/],
  ] as const) {
    const pty = new Pty({ variables: { TERM }, prepare });
    try {
      await pty.sees(first);
      pty.line("select 'works' as t;");
      await pty.sees(/^works\n1 row\nhx> ?$/m);
      pty.key('C-d');
      await pty.sees(/^hx> ?\nleft 0/m);
    } finally {
      pty.close();
    }
  }
});

test('without colours nothing is coloured, and the choice in a menu still shows', async () => {
  await inShell({ NO_COLOR: '1' }, async (pty) => {
    pty.type("select 1, 'text', count(x) from ch");
    pty.key('Tab', 'Tab');
    await pty.sees(/1\/\d+ {2}view/);
    const screen = pty.tmux('capture-pane', '-p', '-e', '-t', 's');
    const codes = new Set(screen.split(`${ESCAPE}[`).map((part) => /^([\d;]*)m/.exec(part)?.[1]));
    // What is left are inverse and the ends of it, as tmux tells them.
    for (const code of ['7', '27', '', '0', '39', '49', undefined]) codes.delete(code);
    assert.equal([...codes], []);
    assert.ok(screen.includes(`${ESCAPE}[7mchecks `));
  });
});

test('the shell needs a terminal to read from: a pipe is read as SQL', () => {
  const folder = makeTempFolder();
  const entry = join(folder, 'hx.mjs');
  writeFileSync(entry, HX_QUERY);
  const argv = ['--import', packagePath('node_modules', 'tsx', 'dist', 'esm', 'index.mjs'), entry, 'query'];
  const output = execFileSync(process.execPath, argv, {
    input: 'select 1 as one',
    encoding: 'utf8',
    cwd: folder,
  });
  assert.is(output, 'one\r\n1\r\n');
});

test.run();
