import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packagePath } from '../../../../src/base/paths.js';
import type { ExportChecksResult } from '../../../../src/handlers/export-checks.js';
import type { LakeStorage } from '../../../../src/lake/storage/storage.js';
import { makeTempFolder, removeFolder } from '../../../helpers.js';
import type { Tally } from '../../../lake/compaction/tally.js';
import { type ExportBench, openExportBench } from '../export-bench.js';
import { Checks } from './checks.js';

const BIN = packagePath('bin', 'hx.js');
const COMPACTOR = packagePath('test', 'lake', 'compaction', 'compactor.mjs');
/** A measurement of as little work as there can be. */
const SMALLEST = ['--model', 'simulator/default', '-K', '4', '-R', '1', '-T', '4', '-B', '100'];

/** The arguments of an export of everything. */
export const EXPORT = ['export', 'checks', '--json'];

/** A process that works on the lake. */
export interface Work {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export interface Ended {
  /** Null for one that was killed. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** How long it lived. */
  readonly ms: number;
}

export interface StageOptions {
  /** Where the data and the temporary folder are made. */
  readonly folder?: string;
  /** The largest file that a process may write, in KiB. */
  readonly largestFileKb?: () => number | undefined;
}

/** A database, a lake, a research store and a temporary folder of their own, and real hx processes at work on them. */
export class Stage {
  readonly bench: ExportBench;
  readonly checks: Checks;
  /** The system's temporary folder, as the processes see it. */
  readonly temporary: string;
  private readonly folder: string;
  private readonly largestFileKb: () => number | undefined;
  private files = 0;

  private constructor(bench: ExportBench, folder: string, largestFileKb: () => number | undefined) {
    this.bench = bench;
    this.folder = folder;
    this.largestFileKb = largestFileKb;
    this.checks = new Checks(bench.database.sql);
    this.temporary = join(folder, 'tmp');
    mkdirSync(this.temporary);
  }

  static async open({ folder = makeTempFolder(), largestFileKb }: StageOptions = {}): Promise<Stage> {
    const dataDir = join(folder, 'data');
    mkdirSync(dataDir);
    return new Stage(await openExportBench(dataDir), folder, largestFileKb ?? (() => undefined));
  }

  get dataDir(): string {
    return this.bench.dataDir;
  }

  storage(): Promise<LakeStorage> {
    return this.bench.context.lanes.lake();
  }

  /** Starts `hx` with some arguments. */
  start(argv: readonly string[]): Work {
    return this.spawn([BIN, ...argv]);
  }

  /** Runs `hx` to its end. */
  run(argv: readonly string[]): Promise<Ended> {
    return this.start(argv).ended;
  }

  /**
   * Exports to the end. What was committed before is then in the lake, unless it waits for a transaction that is open:
   * Postgres' own, when it looks after its tables.
   */
  async export(): Promise<Ended> {
    const before = this.checks.committed;
    const ended = await this.run(EXPORT);
    this.acknowledge(ended, before);
    return ended;
  }

  /** Takes an export at its word. */
  acknowledge({ exitCode, stdout }: Ended, before: Tally): void {
    if (exitCode !== 0) return;
    const { waiting } = JSON.parse(stdout) as ExportChecksResult;
    if (waiting === 0) this.checks.tally.acknowledge(before);
  }

  /** Starts a process that compacts over and over, each time also what was replaced so long ago. */
  startCompactor(graceMs: number): Work {
    return this.spawn([COMPACTOR, this.dataDir, String(graceMs)]);
  }

  /** The arguments of a sweep over so many new claims. */
  sweep(claims: number): string[] {
    this.files += 1;
    const file = join(this.folder, `claims-${this.files}.jsonl`);
    const lines = Array.from({ length: claims }, (_, index) =>
      JSON.stringify({ claim: `Claim ${index} of file ${this.files}` }),
    );
    writeFileSync(file, lines.join('\n'));
    return ['research', '--claims', file, ...SMALLEST, '--json'];
  }

  /** Removes everything. */
  async close(): Promise<void> {
    await this.bench.close();
    removeFolder(this.folder);
  }

  private spawn(argv: readonly string[]): Work {
    const env = {
      PATH: process.env['PATH'],
      HX_DATA_DIR: this.dataDir,
      DATABASE_URL: this.bench.database.url,
      TMPDIR: this.temporary,
    };
    const limit = this.largestFileKb();
    const command = limit === undefined ? [] : ['bash', '-c', `ulimit -f ${limit}; exec "$0" "$@"`];
    const [program = '', ...rest] = [...command, process.execPath, ...argv];
    const startedMs = performance.now();
    const child = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        texts[name] += text;
      });
    }
    const ended = once(child, 'close').then(([exitCode]) => ({
      exitCode: exitCode as number | null,
      ms: performance.now() - startedMs,
      ...texts,
    }));
    return { child, ended };
  }
}
