// How long a key takes from the keyboard to the screen in the query shell, with 5,000 columns known, and Ctrl-C to a
// new prompt: measured through a real terminal, from the bytes that are typed to those that come back.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HX_QUERY, Pty } from '../../cli/shell/pty.js';
import { type Figure, median } from '../measure.js';
import type { Scene } from './scene.js';

const COLUMNS = 5_000;
const KEYS = 60;
/** A fast typist's pause between two keys. */
const PAUSE_MS = 40;
const GIVE_UP_AFTER_MS = 10_000;
/** What the issue asks for: one frame of a 60 Hz screen. */
const LIMIT_MS = 16;
/** What the issue asks of Ctrl-C. */
const CANCEL_LIMIT_MS = 200;
/** Statements that would run for hours: they join, sort, and print. */
const ENDLESS = [
  'select count(*) from range(10000000) a, range(10000000) b',
  'select * from range(10000000000) order by hash(range)',
  'from range(10000000000)',
];
const CANCELS_EACH = 7;

const source = (path: string) => JSON.stringify(`${new URL(`../../../src/${path}`, import.meta.url)}`);

/** The shell itself over an engine that knows a view of many columns and answers nothing. */
const PROGRAM = `
import { writeFileSync } from 'node:fs';
process.env.NODE_ENV = 'production';
const { InteractiveShell } = await import(${source('cli/shell/interactive.ts')});
const { History } = await import(${source('cli/shell/history.ts')});
const { coloured } = await import(${source('cli/render/style.ts')});
const columns = Array.from({ length: ${COLUMNS} }, (_, index) => ({ name: 'column_' + index, type: 'DOUBLE' }));
const session = {
  tables: async () => [{ name: 'wide', columns }],
  functions: async () => [],
  readyQueries: () => [],
  complete: async () => [],
  run: async () => ({ columns: [], chunks: (async function* () {})() }),
};
process.on('SIGUSR2', () => writeFileSync('cpu', JSON.stringify(process.cpuUsage())));
writeFileSync('pid', String(process.pid));
await new InteractiveShell({
  session,
  history: await History.open('history'),
  ...{ stdin: process.stdin, stdout: process.stdout, folder: '.', paint: coloured, debug: false },
  ...{ signal: new AbortController().signal, reflows: true, greeting: '' },
}).run();
`;

/** tmux's control mode: it takes keys as commands, and tells at once what the terminal was sent. */
class Keyboard {
  private readonly client: ChildProcess;
  private received = '';
  private wake: () => void = () => {};

  constructor(pty: Pty) {
    this.client = spawn('tmux', ['-u', '-S', pty.socket, '-C', 'attach', '-t', 's'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.client.stdout?.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('utf8');
      this.wake();
    });
  }

  /** Sends a key and waits until what comes back matches. Returns the milliseconds in between. */
  async press(command: string, shows: RegExp): Promise<number> {
    this.received = '';
    const startedAtMs = performance.now();
    this.client.stdin?.write(`send-keys -t s ${command}\n`);
    while (!shows.test(this.received)) {
      if (performance.now() - startedAtMs > GIVE_UP_AFTER_MS) {
        throw new Error(`${command} never showed ${shows}: ${this.received.slice(-500)}`);
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, 1_000).unref();
      });
    }
    return performance.now() - startedAtMs;
  }

  close(): void {
    this.client.kill();
  }
}

/** Types a word, a letter at a time, and waits each time for the end of the word as it is then. */
async function typing(keyboard: Keyboard, isEcho = false): Promise<number[]> {
  const times: number[] = [];
  let word = '';
  for (let index = 0; index < KEYS; index += 1) {
    const letter = 'abcdefghijklmnopqrstuvwxyz'[index % 26] ?? 'a';
    word += letter;
    const end = isEcho ? letter : word.slice(-6);
    times.push(await keyboard.press(`-l ${letter}`, new RegExp(`%output.*${end}`)));
    await sleep(PAUSE_MS);
  }
  return times;
}

async function inTerminal<T>(
  program: string,
  ready: RegExp,
  work: (pty: Pty, keyboard: Keyboard) => Promise<T>,
) {
  const pty = new Pty({ program });
  try {
    await pty.sees(ready);
    const keyboard = new Keyboard(pty);
    await sleep(500);
    try {
      return await work(pty, keyboard);
    } finally {
      keyboard.close();
    }
  } finally {
    pty.close();
  }
}

/** Processor time of the shell so far, in milliseconds: unlike the clock it hardly minds what else runs. */
async function cpuMs(pty: Pty): Promise<number> {
  const path = join(pty.folder, 'cpu');
  rmSync(path, { force: true });
  process.kill(Number(readFileSync(join(pty.folder, 'pid'), 'utf8')), 'SIGUSR2');
  for (;;) {
    await sleep(PAUSE_MS);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (text.endsWith('}')) {
      const { user, system } = JSON.parse(text) as NodeJS.CpuUsage;
      return (user + system) / 1_000;
    }
  }
}

export const scene: Scene = { play };

async function play(say: (line: string) => void): Promise<Figure[]> {
  say('keys typed into a program that echoes, then into the shell');
  const echo = `process.stdout.write('ready'); process.stdin.setRawMode(true); process.stdin.on('data', (key) => process.stdout.write(key));`;
  const baseline = median(await inTerminal(echo, /ready/, (_, keyboard) => typing(keyboard, true)));
  const keys = await typingFigures(baseline);
  say('statements that Ctrl-C stops');
  return [...keys, await cancelFigure()];
}

/** From Ctrl-C to a prompt that takes the next statement. */
function cancelFigure(): Promise<Figure> {
  return inTerminal(HX_QUERY, /hx>/, async (pty, keyboard) => {
    pty.line('.mode csv');
    await pty.sees(/hx>$/);
    const times: number[] = [];
    for (let index = 0; index < CANCELS_EACH * ENDLESS.length; index += 1) {
      pty.line(`${ENDLESS[index % ENDLESS.length]};`);
      await sleep(300 + 20 * index);
      times.push(await keyboard.press('C-c', /Interrupted[\s\S]*hx>/));
      await sleep(3 * PAUSE_MS);
    }
    const detail = `median of ${times.length}: ${median(times).toFixed(0)} ms; joining, sorting, printing`;
    return {
      name: 'Ctrl-C to prompt, worst',
      value: Math.max(...times),
      unit: 'ms',
      limit: CANCEL_LIMIT_MS,
      detail,
    };
  });
}

function typingFigures(baseline: number): Promise<Figure[]> {
  return inTerminal(PROGRAM, /hx>/, async (pty, keyboard) => {
    const scene = async (name: string, work: () => Promise<number[]>): Promise<Figure> => {
      const before = await cpuMs(pty);
      const times = await work();
      const cpu = ((await cpuMs(pty)) - before) / times.length;
      const worst = Math.max(...times).toFixed(1);
      return {
        ...{ name, value: median(times), unit: 'ms', limit: LIMIT_MS },
        detail: `median of ${times.length}, worst ${worst}; echo ${baseline.toFixed(1)}; CPU a key ${cpu.toFixed(1)}`,
      };
    };
    pty.type('select ');
    await pty.sees(/hx> select/);
    const line = await scene(`key to screen, ${COLUMNS} columns`, () => typing(keyboard));
    pty.key('C-c');
    pty.paste(
      Array.from({ length: 500 }, (_, index) => `select ${index} as number_${index}, 'text' as t,`).join(
        '\n',
      ),
    );
    await pty.sees(/line 500 of 500/);
    const long = await scene('key to screen in 500 lines', () => typing(keyboard));
    pty.key('C-c');
    await pty.sees(/hx>$/);
    pty.type('select column_4 from wide');
    pty.key('Home', 'M-f', 'M-f');
    const tabs = await scene(`Tab to menu, ${COLUMNS} columns`, async () => {
      const times: number[] = [];
      for (let index = 0; index < KEYS; index += 1) {
        times.push(await keyboard.press('Tab', /candidates/));
        await keyboard.press('Escape', /hx>/);
        await sleep(3 * PAUSE_MS);
      }
      return times;
    });
    return [line, long, tabs];
  });
}
