import { messageOf } from '../../../../src/base/errors.js';
import { sleep } from '../../../../src/base/time.js';
import { type LakeEngine, openLakeEngine } from '../../../../src/lake/engine/engine.js';
import { Prng } from '../../../../src/rpl/prng.js';
import { runRows } from '../../../lake/collect.js';
import { seeRows } from '../../../lake/compaction/tally.js';
import { Reader } from './reader.js';
import { settle } from './settle.js';
import { Stage } from './stage.js';

const EXPORTERS = 2;
const READERS = 5;
const DAYS = 4;
const FIRST_ROWS = 200;
/** Longer than a read takes on a busy machine, short enough to see files go. */
const GRACE_MS = 20_000;
/** Every value of every row, which a file cut short does not give. */
const EVERYTHING = 'SELECT count(*), bit_xor(hash(checks)) FROM checks';
/** One read in so many reads everything. */
const WHOLE_READ_EVERY = 4;

/** Two exporters, a compactor and five readers at once, while checks are inserted, changed and deleted. */
export async function turmoil(seconds: number): Promise<{ line: string; failures: readonly string[] }> {
  const stage = await Stage.open();
  try {
    await stage.checks.insert(FIRST_ROWS, DAYS);
    const run = new Run(stage, performance.now() + seconds * 1_000);
    await Promise.all([
      run.change(),
      ...Array.from({ length: EXPORTERS }, () => run.export()),
      run.compact(),
      ...Array.from({ length: READERS }, (_, reader) => run.read(reader)),
    ]);
    const reader = await Reader.open(stage.dataDir);
    const failures = [...run.failures, ...(await settle(stage, reader, new Set()))];
    reader.close();
    const { inserted, updated, deleted } = stage.checks.tally;
    return {
      line:
        `${seconds} s of ${EXPORTERS} exporters, a compactor and ${READERS} readers: ${run.reads} reads, ` +
        `${run.exports} exports, ${run.compacted} days compacted, ${run.removed} replaced files removed; ` +
        `${inserted.begun} checks inserted, ${updated.begun} changed, ${deleted.begun} deleted: ${failures.length} failures`,
      failures,
    };
  } finally {
    await stage.close();
  }
}

class Run {
  readonly failures: string[] = [];
  reads = 0;
  exports = 0;
  compacted = 0;
  removed = 0;
  private readonly stage: Stage;
  private readonly untilMs: number;
  private readonly prng = new Prng(7n);

  constructor(stage: Stage, untilMs: number) {
    this.stage = stage;
    this.untilMs = untilMs;
  }

  private get isOver(): boolean {
    return performance.now() >= this.untilMs || this.failures.length > 0;
  }

  /** Changes the database without a pause. */
  async change(): Promise<void> {
    const { checks } = this.stage;
    while (!this.isOver) {
      await checks.insert(1 + this.prng.below(20), DAYS);
      await checks.update(1 + this.prng.below(5));
      if (this.prng.below(3) === 0) await checks.delete(1 + this.prng.below(2));
      await sleep(this.prng.below(100));
    }
  }

  /** Exports over and over. What was committed before one began is in the lake once it has ended. */
  async export(): Promise<void> {
    while (!this.isOver) {
      const { exitCode, stderr } = await this.stage.export();
      if (exitCode !== 0) {
        this.failures.push(`an export ended with ${exitCode}: ${stderr}`);
        return;
      }
      this.exports += 1;
    }
  }

  async compact(): Promise<void> {
    const { child, ended } = this.stage.startCompactor(GRACE_MS);
    while (!this.isOver && child.exitCode === null) await sleep(50);
    child.kill('SIGKILL');
    const { exitCode, stdout, stderr } = await ended;
    if (exitCode !== null) this.failures.push(`the compactor ended with ${exitCode}: ${stderr}`);
    for (const [, days, removed] of stdout.matchAll(/^(\d+) (\d+)$/gm)) {
      this.compacted += Number(days);
      this.removed += Number(removed);
    }
  }

  async read(reader: number): Promise<void> {
    const engine = await openLakeEngine({ dataDir: this.stage.dataDir });
    for (let turn = reader; !this.isOver; turn += 1) {
      try {
        if (turn % WHOLE_READ_EVERY === 0) await runRows(engine, EVERYTHING);
        else await this.count(engine);
        this.reads += 1;
      } catch (error) {
        this.failures.push(`a reader failed: ${messageOf(error)}`);
      }
    }
    engine.close();
  }

  private async count(engine: LakeEngine): Promise<void> {
    const { tally } = this.stage.checks;
    const before = tally.copy();
    const { operational } = await seeRows(engine);
    this.failures.push(...tally.problems('operational', operational, before));
  }
}
