import { sleep } from '../../../../src/base/time.js';
import { Prng } from '../../../../src/rpl/prng.js';
import { leftOvers, Reader } from './reader.js';
import { settle } from './settle.js';
import { type Ended, EXPORT, Stage, type Work } from './stage.js';

/** After so many kills comes a new lake, so that no run walks through what hundreds before it have left. */
const KILLS_OF_A_LAKE = 20;
const DAYS = 4;
/** From 10,000 on an export goes through DuckDB. */
const BULK_ROWS = 10_500;
const CLAIMS = 40;
/** One kill in so many falls while the process starts, which is a good part of a short life. */
const EARLY_KILL_EVERY = 4;
/** Moments are spread over a little more than the life of a process that is not killed. */
const LONGEST_LIFE = 1.05;
/** One compactor in two removes at once what it has replaced. */
const NO_GRACE_MS = 0;

/** From so many kills on some have to fall in the middle of a file. */
const MANY = 100;

/** What is killed. */
interface Victim {
  readonly name: string;
  /** Makes work for it. */
  readonly prepare: (stage: Stage) => Promise<void>;
  readonly start: (stage: Stage) => Work;
  /** Whether it goes on until it is killed. */
  readonly isEndless?: boolean;
}

const change = async ({ checks }: Stage) => {
  await checks.insert(12, DAYS);
  await checks.update(4);
  await checks.delete(1);
};

/** New small files, so that there is something to merge. */
const addFiles = async (stage: Stage) => {
  await stage.checks.insert(DAYS, DAYS);
  await stage.checks.update(DAYS);
  const { exitCode, stderr } = await stage.export();
  if (exitCode !== 0)
    throw new Error(`an export to make work for a compactor ended with ${exitCode}: ${stderr}`);
  await stage.checks.insert(DAYS, DAYS);
  await stage.export();
};

const ROWS: Victim = {
  name: 'export',
  prepare: change,
  start: (stage) => stage.start(EXPORT),
};
const BULK: Victim = {
  ...ROWS,
  name: 'bulk export',
  prepare: async (stage) => {
    const { inserted } = stage.checks.tally;
    // A killed one leaves its work to the next.
    if (inserted.begun - inserted.done < BULK_ROWS) await stage.checks.insert(BULK_ROWS, DAYS);
    await change(stage);
  },
};
const RESEARCH: Victim = {
  name: 'research',
  prepare: async () => {},
  start: (stage) => stage.start(stage.sweep(CLAIMS)),
};
const COMPACT: Victim = {
  name: 'compaction',
  prepare: addFiles,
  start: (stage) => stage.start(['export', 'compact', '--json']),
};
const COMPACTOR: Victim = {
  ...COMPACT,
  name: 'compaction without grace',
  start: (stage) => stage.startCompactor(NO_GRACE_MS),
  isEndless: true,
};

/** Lakes of checks exported row by row, and lakes of bulk exports, in turn. */
const ROUNDS: readonly (readonly Victim[])[] = [
  [ROWS, RESEARCH, COMPACT, RESEARCH, ROWS, COMPACTOR],
  [BULK, BULK, BULK, COMPACT],
];

export interface Killed {
  readonly line: string;
  readonly failures: readonly string[];
}

/** Kills so many processes at random moments of their lives, and proves after each that no reader sees anything wrong. */
export async function kills(count: number, say: (line: string) => void): Promise<Killed> {
  const killer = new Killer();
  const startedMs = performance.now();
  for (let round = 0; killer.kills < count && killer.failures.length === 0; round += 1) {
    await killer.lake(ROUNDS[round % ROUNDS.length] ?? [], Math.min(count, killer.kills + KILLS_OF_A_LAKE));
    say(`${killer.kills} kills, ${killer.survivors} ended before theirs`);
  }
  // Kills that never fall while something is written prove nothing.
  if (count >= MANY && killer.unfinished === 0) killer.failures.push('no kill fell while a file was written');
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
  const names = [...killer.byName].map(([name, number]) => `${number} of ${name}`).join(', ');
  return {
    line:
      `${killer.kills} kills in ${seconds} s (${names}), ${killer.survivors} more ended before theirs; ` +
      `${killer.unfinished} left temporary files, ${killer.lakes} lakes proven whole: ${killer.failures.length} failures`,
    failures: killer.failures,
  };
}

class Killer {
  readonly failures: string[] = [];
  readonly byName = new Map<string, number>();
  kills = 0;
  survivors = 0;
  lakes = 0;
  /** Kills that fell while something was written. */
  unfinished = 0;
  private readonly prng = new Prng(5n);
  /** How long processes that were not killed lived, by name. */
  private readonly lifeMs = new Map<string, number>();
  private startMs = 0;

  /** Kills in a lake of its own until there were so many kills, then proves it. */
  async lake(victims: readonly Victim[], until: number): Promise<void> {
    const stage = await Stage.open();
    const acknowledged = new Set<string>();
    try {
      await this.measure(stage, victims, acknowledged);
      const reader = await Reader.open(stage.dataDir);
      for (let turn = 0; this.kills < until && this.failures.length === 0; turn += 1) {
        const victim = victims[turn % victims.length] ?? ROWS;
        await victim.prepare(stage);
        const ended = await this.strike(stage, victim);
        acknowledgeRuns(victim, ended, acknowledged);
        this.record(victim, ended, stage);
        for (const problem of await reader.problems(stage.checks.tally, acknowledged)) {
          this.failures.push(`kill ${this.kills}, ${victim.name}: ${problem}`);
        }
      }
      const problems = this.failures.length > 0 ? [] : await settle(stage, reader, acknowledged);
      this.failures.push(...problems.map((problem) => `after kill ${this.kills}: ${problem}`));
      this.lakes += 1;
      reader.close();
    } finally {
      await stage.close();
    }
  }

  /** Fills the lake by processes that are not killed, and takes their time. */
  private async measure(stage: Stage, victims: readonly Victim[], acknowledged: Set<string>): Promise<void> {
    const { ms } = await stage.run(['--help']);
    this.startMs = ms;
    for (const victim of new Set(victims)) {
      await victim.prepare(stage);
      if (victim.isEndless === true) continue;
      const ended = await victim.start(stage).ended;
      if (ended.exitCode !== 0)
        this.failures.push(`${victim.name} ended with ${ended.exitCode}: ${ended.stderr}`);
      acknowledgeRuns(victim, ended, acknowledged);
      acknowledgeChecks(victim, ended, stage);
      this.lifeMs.set(victim.name, ended.ms);
    }
  }

  private async strike(stage: Stage, victim: Victim): Promise<Ended> {
    const life = this.lifeMs.get(victim.name) ?? this.lifeMs.get(COMPACT.name) ?? this.startMs;
    const isEarly = this.kills % EARLY_KILL_EVERY === 0;
    const [from, to] = isEarly ? [0, this.startMs] : [this.startMs, life * LONGEST_LIFE];
    const { child, ended } = victim.start(stage);
    await Promise.race([sleep(from + this.prng.uniform() * Math.max(0, to - from)), ended]);
    child.kill('SIGKILL');
    return ended;
  }

  private record(victim: Victim, ended: Ended, stage: Stage): void {
    const { exitCode, stderr, ms } = ended;
    if (exitCode === null) {
      this.kills += 1;
      this.byName.set(victim.name, (this.byName.get(victim.name) ?? 0) + 1);
      if (leftOvers(stage.dataDir, stage.temporary).length > 0) this.unfinished += 1;
      return;
    }
    this.survivors += 1;
    this.lifeMs.set(victim.name, ms);
    if (exitCode !== 0) this.failures.push(`${victim.name} ended with ${exitCode}: ${stderr}`);
    acknowledgeChecks(victim, ended, stage);
    const left = leftOvers(stage.dataDir, stage.temporary);
    if (victim !== RESEARCH)
      this.failures.push(...left.map((name) => `${name} is left after ${victim.name}`));
  }
}

/** Every run that a sweep printed is said to be in the lake. */
function acknowledgeRuns(victim: Victim, { stdout }: Ended, acknowledged: Set<string>): void {
  if (victim !== RESEARCH) return;
  for (const line of stdout.split('\n').slice(0, -1)) {
    acknowledged.add((JSON.parse(line) as { run_id: string }).run_id);
  }
}

/** Nothing changes while an export runs, so that it has what was committed. */
function acknowledgeChecks(victim: Victim, ended: Ended, stage: Stage): void {
  if (victim === ROWS || victim === BULK) stage.acknowledge(ended, stage.checks.committed);
}
