import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packagePath } from '../../../src/base/paths.js';
import { makeTempFolder } from '../../helpers.js';

const GIVE_UP_AFTER_MS = 30_000;

/** What a program takes to learn of a new size. */
const TOLD_MS = 100;

/** A program that is `hx query`, and writes down its process id. */
export const HX_QUERY = `
import { writeFileSync } from 'node:fs';
import { main } from ${JSON.stringify(`${new URL('../../../src/cli/main.ts', import.meta.url)}`)};
writeFileSync('pid', String(process.pid));
process.exitCode = await main(process);
`;

export interface PtyOptions {
  /** The program: text of a module that is run in the terminal, in a folder of its own. */
  readonly program?: string;
  readonly variables?: Readonly<Record<string, string>>;
  /** Runs in the folder before the program starts. */
  readonly prepare?: (folder: string) => void;
  /** A command that runs in the terminal before the program. */
  readonly first?: string;
  /** What stands after `hx query`. */
  readonly argv?: string;
  /** Whether the shell around it has jobs, and brings the program back when it was stopped. */
  readonly resumes?: boolean;
}

/** A program in a terminal of its own: tmux draws the screen, we type and look. */
export class Pty {
  readonly folder = makeTempFolder();

  constructor({
    program = HX_QUERY,
    variables = {},
    argv = '',
    first = 'true',
    prepare,
    resumes = false,
  }: PtyOptions = {}) {
    writeFileSync(join(this.folder, 'hx.mjs'), program);
    prepare?.(this.folder);
    // No variable of the test's own environment, CI above all, may change what a person at a terminal sees.
    // The loader looks for tsconfig.json where it is started, and the shell starts in a folder of its own.
    const environment = {
      TSX_TSCONFIG_PATH: packagePath('tsconfig.json'),
      PATH: process.env['PATH'] ?? '',
      LC_ALL: 'C.UTF-8',
      HOME: this.folder,
      ...variables,
    };
    const assignments = Object.entries(environment).map(([name, value]) => `${name}='${value}'`);
    const loader = new URL('../../../node_modules/tsx/dist/esm/index.mjs', import.meta.url);
    const hx = `env -i TERM="$TERM" ${assignments.join(' ')} ${process.execPath} --import ${loader} hx.mjs query ${argv}`;
    const modes = `stty -a | grep -oE '(^| )(-?icanon|-?echo)( |;|$)' | tr -d '\\n'`;
    const [jobs, back] = resumes ? ['set -m; ', 'fg; '] : ['', ''];
    const command = `cd ${this.folder}; ${first}; ${jobs}${hx}; echo "left $?"; ${modes}; ${back}cat`;
    const size = ['-x', '100', '-y', '30'];
    this.tmux('-f', '/dev/null', 'new-session', '-d', ...size, '-s', 's', command);
  }

  get socket(): string {
    return join(this.folder, 'tmux');
  }

  tmux(...argv: string[]): string {
    try {
      return execFileSync('tmux', ['-u', '-S', this.socket, ...argv], { encoding: 'utf8' });
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

  /** Pastes as a terminal does: bracketed, so that the shell knows where the paste ends. */
  paste(text: string): void {
    const path = join(this.folder, 'paste');
    writeFileSync(path, text);
    this.tmux('load-buffer', path);
    this.tmux('paste-buffer', '-p', '-t', 's');
  }

  /** Resizes the window, and waits until the program was told: tmux does so a quarter of a second after it folded the lines anew. */
  async resize(columns: number, rows: number): Promise<void> {
    this.tmux('resize-window', '-t', 's', '-x', `${columns}`, '-y', `${rows}`);
    const terminal = this.tmux('display-message', '-p', '-t', 's', '#{pane_tty}').trim();
    const size = () => execFileSync('stty', ['-F', terminal, 'size']);
    await this.until(
      () => String(size()).trim(),
      (told) => told === `${rows} ${columns}`,
      `a size of ${rows} ${columns}`,
    );
    await sleep(TOLD_MS);
  }

  /** Everything on the screen and above it. */
  screen(): string {
    return this.tmux('capture-pane', '-p', '-t', 's', '-S', '-1000').trimEnd();
  }

  /** Where the cursor stands: column and row, from 0. */
  cursor(): string {
    return this.tmux('display-message', '-p', '-t', 's', '#{cursor_x},#{cursor_y}').trim();
  }

  /** Waits until the screen shows the pattern. */
  async sees(pattern: RegExp): Promise<string> {
    return this.until(
      () => this.screen(),
      (screen) => pattern.test(screen),
      `${pattern}`,
    );
  }

  /** Waits until the screen is as wanted. */
  async shows(wanted: (screen: string) => boolean): Promise<string> {
    return this.until(() => this.screen(), wanted, `what ${wanted} wants`);
  }

  /** Waits until the cursor stands at `column,row`. */
  async at(place: string): Promise<void> {
    await this.until(
      () => this.cursor(),
      (cursor) => cursor === place,
      `the cursor at ${place}`,
    );
  }

  private async until(look: () => string, wanted: (seen: string) => boolean, name: string): Promise<string> {
    const deadline = Date.now() + GIVE_UP_AFTER_MS;
    for (;;) {
      const seen = look();
      if (wanted(seen)) return seen;
      if (Date.now() > deadline) throw new Error(`The terminal never showed ${name}:\n${seen}`);
      await sleep(20);
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

/** A shell at its first prompt, closed once the work is done. */
export async function inShell(
  variables: Readonly<Record<string, string>>,
  work: (pty: Pty) => Promise<void>,
): Promise<void> {
  const pty = new Pty({ variables });
  try {
    await pty.sees(/^hx> ?$/m);
    await work(pty);
  } finally {
    pty.close();
  }
}
