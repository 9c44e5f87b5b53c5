import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from '../../../src/base/time.js';
import { compact } from '../../../src/lake/compaction/compact.js';
import { type LakeEngine, openLakeEngine } from '../../../src/lake/engine/engine.js';
import { exportsFolder } from '../../../src/lake/files/partition.js';
import { LocalStorage } from '../../../src/lake/storage/local.js';
import { appendRun } from '../../../src/lake/writer.js';
import { Prng } from '../../../src/rpl/prng.js';
import { parquetBytes } from '../files.js';
import { lakeRow } from '../rows.js';
import { type Lane, seeRows, Tally } from './tally.js';

const COMPACTOR = fileURLToPath(new URL('compactor.mjs', import.meta.url));
const READERS = 5;

const LEAST_COMPACTIONS = 3;
const LEAST_KILLS = 2;

/** So much more often than there were reads each writer may have written. */
const HEAD_START = 100;

/** Long enough for a query that began before a swap, short enough to see files go. */
const GRACE_MS = 20_000;

export interface Turmoil {
  readonly reads: number;
  readonly kills: number;
  readonly compactions: number;
  readonly removed: number;
  readonly rows: number;
  /** What a reader saw that it must not see; empty when all is well. */
  readonly wrong: readonly string[];
}

/**
 * Two compactors, of which one after the other is killed, two researchers, an exporter that also updates and deletes,
 * and five readers, all at once on one lake, until so many reads are done. Then the lake is checked as a whole.
 * @param onRead is told how many reads are done.
 */
export async function turmoil(
  dataDir: string,
  reads: number,
  seed: bigint,
  onRead: (done: number) => void = () => {},
): Promise<Turmoil> {
  const run = new Run(dataDir, reads, seed, onRead);
  await Promise.all([
    run.research(0),
    run.research(1),
    run.export(),
    run.compactor(),
    run.compactor(),
    ...Array.from({ length: READERS }, () => run.read()),
  ]);
  return run.finish();
}

class Run {
  private readonly storage: LocalStorage;
  private readonly prng: Prng;
  private readonly tallies = { research: new Tally(), operational: new Tally() };
  private readonly wrong: string[] = [];
  private done = 0;
  private kills = 0;
  private compactions = 0;
  private removed = 0;

  constructor(
    private readonly dataDir: string,
    private readonly reads: number,
    seed: bigint,
    private readonly onRead: (done: number) => void,
  ) {
    this.storage = new LocalStorage(exportsFolder(dataDir));
    this.prng = new Prng(seed);
  }

  /** How long a compactor took to report its first compaction; the moments of death are spread over that. */
  private firstReportMs = 0;

  /** Reads alone prove nothing: compactors must have got through, and have died. */
  private get isOver(): boolean {
    const isDone =
      this.done >= this.reads && this.compactions >= LEAST_COMPACTIONS && this.kills >= LEAST_KILLS;
    return isDone || this.wrong.length > 0;
  }

  async research(writer: number): Promise<void> {
    const { inserted } = this.tallies.research;
    for (let number = 0; !this.isOver; number += 1) {
      inserted.begun += 1;
      await appendRun(this.storage, lakeRow(number * 3 + writer, { created_at: dayOf(number) }));
      inserted.done += 1;
      await this.pause(30, number);
    }
  }

  /** Range after range: new checks, changes of earlier ones, and deletions. */
  async export(): Promise<void> {
    const { inserted, updated, deleted, deletedRevisions } = this.tallies.operational;
    const revisions: number[] = [];
    for (let range = 0; !this.isOver; range += 1) {
      const name = `1234abcd-${range}-${range + 1}`;
      const row = (number: number, given = {}) =>
        lakeRow(number * 3 + 2, { created_at: dayOf(0), lane: 'operational', ...given });
      const first = revisions.length;
      const fresh = Array.from({ length: 1 + this.prng.below(5) }, (_, index) => row(first + index));
      inserted.begun += fresh.length;
      await this.put(`x-s3-${name}`, fresh);
      inserted.done += fresh.length;
      const old = this.prng.below(Math.max(1, first));
      if (first > 0 && revisions[old] !== undefined && revisions[old] >= 0) {
        const revision = (revisions[old] ?? 0) + 1;
        const isDeletion = this.prng.below(4) === 0;
        const change = isDeletion ? deleted : updated;
        change.begun += 1;
        if (isDeletion) deletedRevisions.begun += revision;
        await this.put(`u-s3-${name}`, [
          row(old, { revision, ...(isDeletion ? { deleted_at: new Date(), claim: '' } : {}) }),
        ]);
        change.done += 1;
        if (isDeletion) deletedRevisions.done += revision;
        revisions[old] = isDeletion ? -1 : revision;
      }
      revisions.push(...fresh.map(() => 0));
      await this.storage.putIfAbsent(
        `local/_hx/1234abcd/commits/${range}-${range}-${range + 1}.json`,
        Buffer.from('{}'),
      );
      await this.pause(60, range);
    }
  }

  /** Lets writers rest, and wait for the readers: of an ever larger lake each read would take longer. */
  private async pause(mostMs: number, written: number): Promise<void> {
    do await sleep(this.prng.below(mostMs));
    while (written > this.done + HEAD_START && !this.isOver);
  }

  private async put(name: string, rows: ReturnType<typeof lakeRow>[]): Promise<void> {
    await this.storage.putIfAbsent(`local/dt=2026-11-01/${name}.parquet`, await parquetBytes(rows));
  }

  /** Starts a compactor, kills it at some moment, and starts the next. */
  async compactor(): Promise<void> {
    while (!this.isOver) {
      const child = spawn(process.execPath, [COMPACTOR, this.dataDir, String(GRACE_MS)], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      await this.lives(child);
    }
  }

  private async lives(child: ChildProcess): Promise<void> {
    let problem = '';
    child.stderr?.on('data', (text) => {
      problem += String(text);
    });
    child.stdout?.on('data', (text) => {
      for (const [, days, removed] of String(text).matchAll(/^(\d+) (\d+)$/gm)) {
        this.compactions += Number(days);
        this.removed += Number(removed);
      }
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const nextReport = () => new Promise((resolve) => child.stdout?.once('data', resolve));
    await Promise.race([nextReport(), ended]);
    const startedMs = performance.now();
    if (this.firstReportMs === 0 || this.prng.below(2) === 0) {
      await Promise.race([nextReport(), ended]);
      this.firstReportMs = performance.now() - startedMs;
    }
    await Promise.race([sleep(this.prng.below(Math.ceil(this.firstReportMs))), ended]);
    child.kill('SIGKILL');
    const code = await ended;
    if (code === null) this.kills += 1;
    else this.wrong.push(`a compactor ended with ${code}: ${problem}`);
  }

  async read(): Promise<void> {
    const engine = await openLakeEngine({ dataDir: this.dataDir });
    while (!this.isOver) {
      try {
        await this.look(engine);
      } catch (error) {
        this.wrong.push(`a reader failed: ${String(error)}`);
      }
      this.done += 1;
      this.onRead(this.done);
    }
    engine.close();
  }

  /** Returns how many rows there are. */
  private async look(engine: LakeEngine): Promise<number> {
    const { research, operational } = this.tallies;
    const before = { research: research.copy(), operational: operational.copy() };
    const seen = await seeRows(engine);
    for (const lane of ['research', 'operational'] satisfies Lane[]) {
      this.wrong.push(...this.tallies[lane].problems(lane, seen[lane], before[lane]));
    }
    return seen.research.rows + seen.operational.rows;
  }

  async finish(): Promise<Turmoil> {
    const common = {
      storage: this.storage,
      dataDir: this.dataDir,
      environment: 'local',
      urgency: 'any',
    } as const;
    await compact({ ...common, now: () => new Date() });
    await compact({ ...common, now: () => new Date(Date.now() + 86_400_000) });
    const engine = await openLakeEngine({ dataDir: this.dataDir });
    const rows = await this.look(engine);
    engine.close();
    const folder = join(exportsFolder(this.dataDir), 'local');
    for (const day of readdirSync(folder).filter((name) => name.startsWith('dt='))) {
      const names = readdirSync(join(folder, day));
      if (names.length !== 1 || !/^c-s3-\d+\.parquet$/.test(names[0] ?? '')) {
        this.wrong.push(`${day} holds ${names.join(' ')}`);
      }
    }
    const { done: reads, kills, compactions, removed, wrong } = this;
    return { reads, kills, compactions, removed, wrong, rows };
  }
}

/** Research writes to two days, the exporter to the first. */
function dayOf(number: number): Date {
  return new Date(Date.UTC(2026, 10, 1 + (number % 2), 0, 0, number % 3_600));
}
