import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packagePath } from '../../../src/base/paths.js';
import { makeTempFolder } from '../../helpers.js';

const GIVE_UP_AFTER_MS = 30_000;
const ENTRY = `
import { writeFileSync } from 'node:fs';
import { main } from ${JSON.stringify(`${new URL('../../../src/cli/main.ts', import.meta.url)}`)};
writeFileSync('pid', String(process.pid));
process.exitCode = await main(process);
`;

/** A shell in a terminal of its own. */
class Pty {
  readonly folder = makeTempFolder();

  constructor(variables: Readonly<Record<string, string>> = {}) {
    writeFileSync(join(this.folder, 'hx.mjs'), ENTRY);
    // No variable of the test's own environment, CI above all, may change what a person at a terminal sees.
    // The loader looks for tsconfig.json where it is started, and the shell starts in a folder of its own.
    const loaderConfig = { TSX_TSCONFIG_PATH: packagePath('tsconfig.json') };
    const environment = {
      ...loaderConfig,
      PATH: process.env['PATH'] ?? '',
      LC_ALL: 'C.UTF-8',
      HOME: this.folder,
      ...variables,
    };
    const assignments = Object.entries(environment).map(([name, value]) => `${name}='${value}'`);
    const loader = new URL('../../../node_modules/tsx/dist/esm/index.mjs', import.meta.url);
    const hx = `cd ${this.folder}; env -i TERM="$TERM" ${assignments.join(' ')} ${process.execPath} --import ${loader} hx.mjs query`;
    const modes = `stty -a | grep -oE '(^| )(-?icanon|-?echo)( |;|$)' | tr -d '\\n'`;
    const size = ['-x', '100', '-y', '30'];
    this.tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      ...size,
      '-s',
      's',
      `${hx}; echo "left $?"; ${modes}; cat`,
    );
  }

  tmux(...argv: string[]): string {
    try {
      return execFileSync('tmux', ['-u', '-S', join(this.folder, 'tmux'), ...argv], { encoding: 'utf8' });
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
        throw new Error('This test drives the shell in a real terminal through tmux: install tmux.');
      }
      throw error;
    }
  }

  /** Types text, then Enter. */
  line(text: string): void {
    this.type(text);
    this.key('Enter');
  }

  type(text: string): void {
    // tmux takes a semicolon at the end of an argument for its own.
    this.tmux('send-keys', '-t', 's', '-l', '--', text.replace(/;$/, '\\;'));
  }

  key(...names: string[]): void {
    this.tmux('send-keys', '-t', 's', ...names);
  }

  /** Everything on the screen and above it. */
  screen(): string {
    return this.tmux('capture-pane', '-p', '-t', 's', '-S', '-1000').trimEnd();
  }

  /** Waits until the screen shows the pattern. */
  async sees(pattern: RegExp): Promise<string> {
    const deadline = Date.now() + GIVE_UP_AFTER_MS;
    for (;;) {
      const screen = this.screen();
      if (pattern.test(screen)) return screen;
      if (Date.now() > deadline) throw new Error(`The screen never showed ${pattern}:\n${screen}`);
      await sleep(50);
    }
  }

  close(): void {
    try {
      this.tmux('kill-server');
    } catch {
      // The server ends by itself with its last window.
    }
  }
}

async function inShell(
  variables: Readonly<Record<string, string>>,
  work: (pty: Pty) => Promise<void>,
): Promise<void> {
  const pty = new Pty(variables);
  try {
    await pty.sees(/^hx> ?$/m);
    await work(pty);
  } finally {
    pty.close();
  }
}

const test = suite('shell in a terminal');

test('a statement of several lines, wide text, an error, and leaving with Ctrl-D', async () => {
  await inShell({}, async (pty) => {
    pty.line('select 40 + 2 as answer,');
    await pty.sees(/^\.\.> ?$/m);
    pty.line("'日本 👩‍🚀' as wide;");
    await pty.sees(
      /hx> select 40 \+ 2 as answer,\n\.\.> '日本 .*;\nanswer {2}wide\n─+ {2}─+\n {4}42 {2}日本 .*\n1 row\nhx>/,
    );
    pty.line('select * from nowhere;');
    await pty.sees(/hx: .*nowhere.*\n.*\nhx>$/);
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
    pty.key('C-c');
    await pty.sees(/hx: Interrupted\.\nhx>$/);
    pty.type('select nonsense');
    await pty.sees(/hx> select nonsense$/);
    pty.key('C-c');
    await pty.sees(/hx> select nonsense\^C\nhx>$/);
    pty.line("select 'alive' as t;");
    await pty.sees(/^alive$/m);
    pty.line('.mode csv');
    pty.line('from range(100000000);');
    await pty.sees(/^\d{5,}$/m);
    pty.key('C-c');
    await pty.sees(/hx: Interrupted\.\nhx>$/);
  });
});

test('editing, history and completion', async () => {
  await inShell({}, async (pty) => {
    pty.line("select 'first' as t;");
    await pty.sees(/^first\n1 row\nhx>$/m);
    pty.key('Up', 'C-a', 'M-f', 'C-k');
    await pty.sees(/hx> select$/);
    pty.type(" 'second' as t;");
    pty.key('Enter');
    await pty.sees(/^second\n1 row\nhx>$/m);
    pty.key('Up', 'Up');
    await pty.sees(/hx> select 'first' as t;$/);
    pty.key('C-u');
    pty.type('select count(*) as n from research_r');
    pty.key('Tab');
    await pty.sees(/from research_runs ?$/);
    pty.line(';');
    await pty.sees(/^0\n1 row\nhx>$/m);
    pty.type('.sch');
    pty.key('Tab');
    pty.line('checks');
    await pty.sees(/^claim +VARCHAR$/m);
  });
});

test('pasted statements of several lines run, with and without bracketed paste', async () => {
  await inShell({}, async (pty) => {
    const path = join(pty.folder, 'paste.sql');
    writeFileSync(path, "select 'one' as a;\nselect 'two' as b,\n'three' as c;\n");
    pty.tmux('load-buffer', path);
    pty.tmux('paste-buffer', '-t', 's');
    await pty.sees(/^one\n1 row\n[\s\S]*^two {2}three\n1 row\nhx>$/m);
    pty.tmux('paste-buffer', '-p', '-t', 's');
    await pty.sees(/hx> select 'one' as a;\n\.\.> select 'two' as b,\n\.\.> 'three' as c;\n\.\.>$/);
    pty.key('Enter');
    await pty.sees(/\.\.>\na\n─+\none\n1 row\nb +c\n─+ {2}─+\ntwo {2}three\n1 row\nhx>$/);
  });
});

test('modes, timer, ready queries and files', async () => {
  await inShell({}, async (pty) => {
    pty.line('.mode ndjson');
    pty.line('.timer on');
    pty.line("select 'x' as t;");
    await pty.sees(/^\{"t":"x"\}\nTime: \d+ ms\nhx>$/m);
    pty.line('.output out.csv');
    pty.line('from range(3);');
    await pty.sees(/Wrote .*out\.csv\./);
    assert.is(readFileSync(join(pty.folder, 'out.csv'), 'utf8'), 'range\r\n0\r\n1\r\n2\r\n');
    writeFileSync(join(pty.folder, 'file.sql'), "select 'from file' as t;");
    pty.line('.read file.sql');
    await pty.sees(/^\{"t":"from file"\}$/m);
    pty.line('.queries');
    await pty.sees(/^@prior_shift$/m);
    pty.line('.mode csv');
    pty.line('@prior_shift env_b=development');
    await pty.sees(/^claim,model,/m);
    pty.line('.exit');
    await pty.sees(/left 0/);
  });
});

test('a statement longer than the window and a resize leave the shell usable', async () => {
  await inShell({}, async (pty) => {
    for (let line = 0; line < 40; line += 1) pty.line(`-- line ${line}`);
    pty.type(`select '${'long '.repeat(60)}' as t`);
    await pty.sees(/-- line 39\n/);
    pty.tmux('resize-window', '-t', 's', '-x', '60', '-y', '12');
    pty.tmux('resize-window', '-t', 's', '-x', '100', '-y', '30');
    pty.key('C-c');
    await pty.sees(/\^C\nhx>$/);
    pty.line("select 'after' as t;");
    await pty.sees(/^after\n1 row\nhx>$/m);
  });
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
  const pty = new Pty({ TERM: 'dumb' });
  try {
    await pty.sees(/^hx> ?$/m);
    pty.line("select 'plain'");
    await pty.sees(/^\.\.> ?$/m);
    pty.line('as t;');
    await pty.sees(/^plain\n1 row\nhx> ?$/m);
    pty.line('.exit');
    await pty.sees(/left 0/);
  } finally {
    pty.close();
  }
});

test('the shell needs a terminal to read from: a pipe is read as SQL', () => {
  const folder = makeTempFolder();
  const entry = join(folder, 'hx.mjs');
  writeFileSync(entry, ENTRY);
  const argv = ['--import', packagePath('node_modules', 'tsx', 'dist', 'esm', 'index.mjs'), entry, 'query'];
  const output = execFileSync(process.execPath, argv, {
    input: 'select 1 as one',
    encoding: 'utf8',
    cwd: folder,
  });
  assert.is(output, 'one\r\n1\r\n');
});

test.run();
