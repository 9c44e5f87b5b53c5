import { join, relative } from 'node:path';
import { Writable } from 'node:stream';
import { Command, Option } from 'clipanion';
import { HxError } from '../../base/errors.js';
import { packagePath } from '../../base/paths.js';
import { utcDate } from '../../base/time.js';
import { HxCommand } from '../base.js';
import type { CliContext } from '../context.js';

const MODEL = ['--model', 'simulator/default'];
const CLAIMS_FILE = packagePath('data', 'claims', 'demo.jsonl');
const FIRST_CLAIM = 'Tides are caused by the moon';
const OTHER_CLAIMS = [
  FIRST_CLAIM,
  'Glass is a liquid that flows slowly',
  'Honey never spoils when it is kept sealed',
];

interface Step {
  /** What the step shows, as a sentence. */
  readonly about?: string;
  readonly argv: readonly string[];
  /** Settings of this step besides the demo's own, shown in front of the command. */
  readonly variables?: Readonly<Record<string, string>>;
}

interface StepResult {
  readonly command: string;
  readonly exit_code: number;
  readonly output: string;
}

export class DemoCommand extends HxCommand {
  static override paths = [['demo']];
  static override usage = Command.Usage({
    details:
      'Starts two local databases, measures claims with the simulator in both lanes, exports them and joins them in ' +
      'one SQL statement. Prints every command it runs and its real output. Everything lives in the folder demo of ' +
      'the data folder; --clean stops the databases and removes it.',
    examples: [
      ['Run it', 'hx demo'],
      ['Remove everything it made', 'hx demo --clean'],
    ],
  });

  clean = Option.Boolean('--clean', false, { description: 'Remove everything that the demo made' });

  /** Connection strings, which hold passwords, by what is shown in their place. */
  private readonly shownAs = new Map<string, string>();

  async execute(): Promise<void> {
    const folder = join(this.settings.dataDir, 'demo');
    const secondFolder = join(folder, 'development');
    const results = this.clean
      ? await this.removeAll(folder, secondFolder)
      : await this.tellStory(folder, secondFolder);
    if (this.json) this.printJson(results);
  }

  private async tellStory(folder: string, secondFolder: string): Promise<StepResult[]> {
    const today = utcDate(new Date());
    const results: StepResult[] = [];
    this.say(this.paint('cyan', `$ export HX_DATA_DIR=${this.show(folder)}`));
    const tell = async (step: Step) => void results.push(await this.runStep(step, folder));
    await tell({ about: 'Lane A: a local Postgres, migrated.', argv: ['db', 'up'] });
    await tell({ argv: ['migrate'] });
    await tell({
      about: 'A check asks a model in sixteen wordings, twice each. The simulator needs no key.',
      argv: ['check', FIRST_CLAIM, ...MODEL],
    });
    await tell({
      about: 'The same check again costs nothing and is a row of its own.',
      argv: ['check', FIRST_CLAIM, ...MODEL],
    });
    await tell({
      about: 'Lane B: the same measurement for experiments, into SQLite and Parquet.',
      argv: ['research', '--claims', CLAIMS_FILE, ...MODEL],
    });
    const second = { HX_DATA_DIR: secondFolder };
    await tell({
      about: 'A second database plays the development environment.',
      argv: ['db', 'up'],
      variables: second,
    });
    const url = (await this.capture(['db', 'url'], { ...this.demoVariables(folder), ...second })).trim();
    this.shownAs.set(url, `"$(HX_DATA_DIR=${this.show(secondFolder)} hx db url)"`);
    const development = { DATABASE_URL_DEV: url };
    await tell({ argv: ['migrate', '--env', 'development'], variables: development });
    for (const claim of OTHER_CLAIMS) {
      const argv = ['check', claim, ...MODEL, '--env', 'development', '-K', '12'];
      await tell({ argv, variables: development });
    }
    await tell({ about: 'Both go to Parquet, side by side.', argv: ['export', 'checks', '--since', today] });
    await tell({
      argv: ['export', 'checks', '--since', today, '--env', 'development'],
      variables: development,
    });
    await tell({
      about: 'One SQL statement joins them on the claim. It reads Parquet only, never a database.',
      argv: ['query', '@prior_shift', '--param', 'env_b=development'],
    });
    await tell({ argv: ['query', '@daily_volume'] });
    await tell({ argv: ['query', '@unstable_claims'] });
    await tell({ about: 'The databases can stop; the lake stays readable.', argv: ['db', 'down'] });
    await tell({ argv: ['db', 'down'], variables: second });
    this.say(
      `\nEverything is in ${this.show(folder)}. Look around: HX_DATA_DIR=${this.show(folder)} hx query\n` +
        'Remove it all: hx demo --clean',
    );
    return results;
  }

  private async removeAll(folder: string, secondFolder: string): Promise<StepResult[]> {
    const { rm } = await import('node:fs/promises');
    const results = [
      await this.runStep(
        { argv: ['db', 'reset', '--yes'], variables: { HX_DATA_DIR: secondFolder } },
        folder,
      ),
      await this.runStep({ argv: ['db', 'reset', '--yes'] }, folder),
    ];
    await rm(folder, { recursive: true, force: true });
    this.say(`${this.show(folder)} is gone.`);
    return results;
  }

  private async runStep({ about, argv, variables = {} }: Step, folder: string): Promise<StepResult> {
    const prefix = Object.entries(variables).map(([name, value]) => `${name}=${quote(this.show(value))} `);
    const command = `${prefix.join('')}hx ${argv.map((word) => quote(this.show(word))).join(' ')}`;
    if (about !== undefined) this.say(`\n${this.paint('bold', about)}`);
    this.say(this.paint('cyan', `$ ${command}`));
    const env = { ...this.demoVariables(folder), ...variables };
    if (!this.json) {
      const exitCode = await this.runCommand(argv, env, {});
      return { command, exit_code: exitCode, output: '' };
    }
    return { command, exit_code: 0, output: await this.capture(argv, env) };
  }

  /** The settings of the demo: its own folder and nothing of the caller's databases. */
  private demoVariables(folder: string): Record<string, string | undefined> {
    return {
      ...this.context.env,
      HX_DATA_DIR: folder,
      HX_ENV: undefined,
      DATABASE_URL: undefined,
      HX_PG_PORT: undefined,
      HX_CONCURRENCY: undefined,
      HX_REQUESTS_PER_MINUTE: undefined,
      HX_TOKENS_PER_MINUTE: undefined,
      HX_MAX_WAIT_SECONDS: undefined,
      HX_MAX_COST_USD: undefined,
      HX_PRICES: undefined,
    };
  }

  private async capture(argv: readonly string[], env: Record<string, string | undefined>): Promise<string> {
    const chunks: Buffer[] = [];
    const stdout = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(Buffer.from(chunk));
        done();
      },
    });
    await this.runCommand(argv, env, { stdout });
    return Buffer.concat(chunks).toString('utf8');
  }

  /** @throws HxError as the command did; a demo whose step fails has failed. */
  private async runCommand(
    argv: readonly string[],
    env: Record<string, string | undefined>,
    streams: Partial<Pick<CliContext, 'stdout'>>,
  ): Promise<number> {
    this.context.signal.throwIfAborted();
    // The demo's folder counts instead of the caller's, whose .env files may name databases that are none of its business.
    const folder = env['HX_DATA_DIR'] ?? this.context.folder;
    const exitCode = await this.cli.run([...argv], { env, folder, ...streams });
    if (exitCode !== 0) throw new HxError('failed', `hx ${argv.join(' ')} ended with exit code ${exitCode}.`);
    return exitCode;
  }

  private say(text: string): void {
    if (!this.json) this.print(text);
  }

  /** Paths as short as they can be from where the user stands; a connection string as the command that prints it. */
  private show(text: string): string {
    const shownAs = this.shownAs.get(text);
    if (shownAs !== undefined) return shownAs;
    if (!text.startsWith('/')) return text;
    const short = relative(this.context.folder, text);
    return short.startsWith('..') ? text : short;
  }
}

/** A word as a shell would need it. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) || word.startsWith('"$(') ? word : `"${word}"`;
}
