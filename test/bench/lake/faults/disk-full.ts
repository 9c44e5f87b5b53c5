import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { leftOvers, Reader } from './reader.js';
import { settle } from './settle.js';
import { openSmallDisk, type SmallDisk } from './small-disk.js';
import { type Ended, EXPORT, Stage } from './stage.js';

const DAYS = 4;
const BULK_ROWS = 10_500;
const CLAIMS = 30;
/** After so many fill points comes a new lake. */
const POINTS_OF_A_LAKE = 10;
/** From so many points on some have to be too full. */
const MANY = 4;
/** The last point of each leaves a little more than was needed. */
const MOST_OF_NEED = 1.05;

/** What has to tell of a full disk: work that is made for it, and the command that does it. */
interface Filler {
  readonly name: string;
  readonly prepare: (stage: Stage) => Promise<void>;
  readonly argv: (stage: Stage) => readonly string[];
}

const exportAll = async (stage: Stage) => {
  const { exitCode, stderr } = await stage.export();
  if (exitCode !== 0) throw new Error(`an export with space enough ended with ${exitCode}: ${stderr}`);
};

const FILLERS: readonly Filler[] = [
  {
    name: 'export',
    prepare: async ({ checks }) => {
      await checks.insert(40, DAYS);
      await checks.update(4);
    },
    argv: () => EXPORT,
  },
  {
    name: 'bulk export',
    prepare: async ({ checks }) => checks.insert(BULK_ROWS, DAYS),
    argv: () => EXPORT,
  },
  { name: 'research', prepare: async () => {}, argv: (stage) => stage.sweep(CLAIMS) },
  {
    name: 'compaction',
    prepare: async (stage) => {
      for (let file = 0; file < 2; file += 1) {
        await stage.checks.insert(200, DAYS);
        await exportAll(stage);
      }
    },
    argv: () => ['export', 'compact', '--json'],
  },
];

/** How a command says that there is no space: never by a trace, and with what to do. */
const SAYS_FULL = /disk (is|may be) full|space|too large/i;
const TRACE = /\n\s+at .*\.js:\d+|defect of hx/;

/** Fills the disk of a lake at so many points of what each command needs, and proves what it says and leaves. */
export async function diskFull(
  points: number,
  say: (line: string) => void,
): Promise<{ line: string; failures: readonly string[] }> {
  const disk = openSmallDisk();
  const startedMs = performance.now();
  const run = new Run(disk, points);
  try {
    while (run.points < points && run.failures.length === 0) {
      await run.lake();
      say(`${run.points} fill points, ${run.full} of them too full`);
    }
  } finally {
    disk.remove();
  }
  if (points >= MANY && run.full === 0) run.failures.push('no command found the disk full');
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
  return {
    line:
      `${run.points} fill points of a ${disk.kind} in ${seconds} s: ${run.full} commands refused, ` +
      `${run.enough} had enough, every one ended once there was space: ${run.failures.length} failures`,
    failures: run.failures,
  };
}

class Run {
  readonly failures: string[] = [];
  points = 0;
  /** Commands that failed, and that did not. */
  full = 0;
  enough = 0;
  private lakes = 0;
  private readonly disk: SmallDisk;
  private readonly wanted: number;

  constructor(disk: SmallDisk, wanted: number) {
    this.disk = disk;
    this.wanted = wanted;
  }

  async lake(): Promise<void> {
    this.lakes += 1;
    const folder = join(this.disk.folder, String(this.lakes));
    mkdirSync(folder);
    const stage = await Stage.open({ folder, largestFileKb: () => this.disk.largestFileKb() });
    const reader = await Reader.open(stage.dataDir);
    const acknowledged = new Set<string>();
    try {
      await stage.checks.insert(40, DAYS);
      await exportAll(stage);
      await stage.run(stage.sweep(1));
      for (let point = 0; point < POINTS_OF_A_LAKE && this.points < this.wanted; point += 1) {
        const filler = FILLERS[this.points % FILLERS.length] as Filler;
        await this.point(stage, reader, filler);
        if (this.failures.length > 0) return;
      }
      const problems = await settle(stage, reader, acknowledged);
      this.failures.push(...problems.map((problem) => `after ${this.points} fill points: ${problem}`));
    } finally {
      reader.close();
      await stage.close();
    }
  }

  /** One command with too little space, then with enough. */
  private async point(stage: Stage, reader: Reader, filler: Filler): Promise<void> {
    const { disk } = this;
    const needKb = await this.measure(stage, filler);
    const share = (MOST_OF_NEED * this.points) / Math.max(1, this.wanted - 1);
    this.points += 1;
    await filler.prepare(stage);
    const argv = filler.argv(stage);
    disk.leaveKb(share * needKb);
    const where = `${filler.name} with ${Math.round(share * needKb)} of ${needKb} KiB`;
    const first = await stage.run(argv);
    this.failures.push(...answerProblems(first).map((problem) => `${where}: ${problem}`));
    this.failures.push(...(await this.look(stage, reader)).map((problem) => `${where}: ${problem}`));
    if (first.exitCode === 0) this.enough += 1;
    else this.full += 1;
    disk.leaveKb(undefined);
    const second = await stage.run(argv);
    if (second.exitCode !== 0) this.failures.push(`${where}, then with space: ${second.stderr}`);
    if (filler.name !== 'research') {
      const left = leftOvers(stage.dataDir, stage.temporary);
      this.failures.push(...left.map((name) => `${where}: ${name} is left over`));
    }
    if (argv === EXPORT) stage.acknowledge(second, stage.checks.committed);
    this.failures.push(
      ...(await this.look(stage, reader)).map((problem) => `${where}, afterwards: ${problem}`),
    );
  }

  private look(stage: Stage, reader: Reader): Promise<string[]> {
    return reader.problems(stage.checks.tally, new Set());
  }

  /** What a command takes of the disk that has enough. */
  private async measure(stage: Stage, filler: Filler): Promise<number> {
    await filler.prepare(stage);
    const before = this.disk.usedKb();
    const argv = filler.argv(stage);
    const ended = await stage.run(argv);
    const { exitCode, stderr } = ended;
    if (exitCode !== 0) throw new Error(`${filler.name} with space enough ended with ${exitCode}: ${stderr}`);
    if (argv === EXPORT) stage.acknowledge(ended, stage.checks.committed);
    return Math.max(1, Math.ceil(this.disk.usedKb() - before));
  }
}

/** A command that failed says why and what to do, by the exit code of work that failed. */
function answerProblems({ exitCode, stderr }: Ended): string[] {
  if (exitCode === 0) return [];
  if (exitCode !== 1 && exitCode !== 3) return [`it ended with ${exitCode}: ${stderr}`];
  return SAYS_FULL.test(stderr) && !TRACE.test(stderr)
    ? []
    : [`it does not say that the disk is full: ${stderr}`];
}
