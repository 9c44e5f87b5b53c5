import { isAlive } from '../base/process-mark.js';
import { ATTEMPT_COLUMNS, type AttemptRow, RUN_COLUMNS, type RunRecord } from '../rpl/record.js';
import { type Attempt, attemptFromRow, attemptToRow } from '../rpl/sample.js';
import type { Connection } from './connection.js';
import { Publications } from './publications.js';
import { ReadoutStore, type StoredReadout } from './readouts.js';
import { rowFromSqlite, rowToSqlite } from './rows.js';

/** One invocation's work on one run. */
export interface Execution {
  readonly executionId: string;
  readonly runId: string;
}

export type ExecutionOutcome = 'finished' | 'reused' | 'failed' | 'interrupted';

export interface ExecutionStart {
  readonly executionId: string;
  /** The run id to use if this configuration has none yet. */
  readonly newRunId: string;
  readonly configHash: string;
  readonly baseHash: string;
  readonly repeat: number;
  readonly startedAt: Date;
}

/** An attempt and the run that made it. */
export interface StoredAttempt {
  readonly attemptId: number;
  readonly runId: string;
  readonly attempt: Attempt;
}

/** An execution that was not seen for so long is taken for dead, whatever its process number says. */
const SILENCE_MS = 15_000;
/** How often an execution says that it is at work. */
export const TOUCH_EVERY_MS = 5_000;

/** Lane B's store of runs, executions, attempts and estimates. Append-only but for an execution's end. */
export class ResearchStore {
  readonly readouts: ReadoutStore;
  readonly publications: Publications;
  private readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
    this.readouts = new ReadoutStore(connection);
    this.publications = new Publications(connection);
  }

  /** The highest repetition of a configuration, and whether its run is finished; undefined when never run. */
  latestRepeat(baseHash: string): { repeat: number; finished: boolean } | undefined {
    const row = this.connection
      .prepare(
        `select repeat, exists (select 1 from runs where runs.run_id = executions.run_id) as finished
         from executions where base_hash = ? order by repeat desc limit 1`,
      )
      .get(baseHash) as { repeat: number; finished: number } | undefined;
    return row === undefined ? undefined : { repeat: row.repeat, finished: row.finished === 1 };
  }

  /** Records that an invocation began; a configuration keeps the run id that its first execution gave it. */
  beginExecution(start: ExecutionStart): Execution {
    return this.connection.lightly(() => {
      const earlier = this.connection
        .prepare('select run_id from executions where config_hash = ? limit 1')
        .get(start.configHash) as { run_id: string } | undefined;
      const runId = earlier?.run_id ?? start.newRunId;
      this.connection.insert('executions', {
        execution_id: start.executionId,
        run_id: runId,
        config_hash: start.configHash,
        base_hash: start.baseHash,
        repeat: start.repeat,
        started_at: start.startedAt.toISOString(),
        pid: process.pid,
        seen_at: start.startedAt.toISOString(),
      });
      return { executionId: start.executionId, runId };
    });
  }

  /** Says that an execution is still at work. */
  touchExecution({ executionId }: Execution, now: Date): void {
    this.connection.lightly(() =>
      this.connection
        .prepare('update executions set seen_at = ? where execution_id = ?')
        .run(now.toISOString(), executionId),
    );
  }

  /** Whether an execution that began earlier is at work on the same run: its process lives and was seen of late. */
  isRunningElsewhere({ executionId, runId }: Execution, now: Date): boolean {
    const rows = this.connection
      .prepare(
        `select pid from executions
         where run_id = ? and execution_id < ? and outcome = 'running' and seen_at > ?`,
      )
      .all(runId, executionId, new Date(now.getTime() - SILENCE_MS).toISOString()) as { pid: number }[];
    return rows.some(({ pid }) => isAlive(pid));
  }

  /** Commits attempts, together. */
  appendAttempts({ executionId, runId }: Execution, attempts: readonly Attempt[]): void {
    this.connection.durably(() => {
      for (const attempt of attempts) {
        const row = rowToSqlite(ATTEMPT_COLUMNS, attemptToRow(attempt));
        this.connection.insert('attempts', { execution_id: executionId, run_id: runId, ...row });
      }
    });
  }

  /** Every stored attempt for the given samples, whichever run made it, oldest first. */
  attemptsFor(sampleKeys: readonly string[]): StoredAttempt[] {
    const statement = this.connection.prepareFile('reusable_attempts.sql');
    const rows = statement.all(JSON.stringify(sampleKeys)) as (Record<string, unknown> & {
      attempt_id: number;
      run_id: string;
    })[];
    return rows.map((row) => ({
      attemptId: row.attempt_id,
      runId: row.run_id,
      attempt: attemptFromRow(rowFromSqlite(ATTEMPT_COLUMNS, row) as AttemptRow),
    }));
  }

  /** The attempts that a finished run rests on, one a sample. */
  samplesOf(runId: string): Attempt[] {
    const rows = this.connection.prepareFile('run_samples.sql').all(runId) as Record<string, unknown>[];
    return rows.map((row) => attemptFromRow(rowFromSqlite(ATTEMPT_COLUMNS, row) as AttemptRow));
  }

  /** A finished run. */
  findRun(runId: string): RunRecord | undefined {
    const row = this.connection.prepare('select * from runs where run_id = ?').get(runId);
    return row === undefined ? undefined : rowFromSqlite(RUN_COLUMNS, row as Record<string, unknown>);
  }

  /**
   * Stores a finished run, its estimate and which attempts and readouts it rests on, in one transaction, and begins its
   * publication. When another process finished the same run first, its row stays and is returned.
   */
  finishRun(
    execution: Execution,
    run: RunRecord,
    attempts: readonly StoredAttempt[],
    readouts: readonly StoredReadout[],
    endedAt: Date,
  ): RunRecord {
    return this.connection.durably(() => {
      const first = this.findRun(run.run_id);
      if (first === undefined) {
        this.connection.insert('runs', rowToSqlite(RUN_COLUMNS, run));
        this.publications.take(run.run_id);
        const { run_id, estimator, b, prob_true_rpl, logit, ci_lo, ci_hi } = run;
        const estimate = { run_id, estimator, b, prob_true_rpl, logit, ci_lo, ci_hi };
        this.connection.insert('estimates', {
          ...estimate,
          execution_id: execution.executionId,
          created_at: endedAt.toISOString(),
          bootstrap_seed: String(run.bootstrap_seed),
        });
      }
      for (const { attemptId, runId, attempt } of attempts) {
        this.connection.insert('execution_samples', {
          execution_id: execution.executionId,
          sample_key: attempt.sampleKey,
          attempt_id: attemptId,
          reused: runId === run.run_id ? 0 : 1,
        });
      }
      this.readouts.use(execution, readouts);
      this.recordEnd(execution, first === undefined ? 'finished' : 'reused', endedAt);
      return first ?? run;
    });
  }

  /** Records how an invocation ended that brought no new run. */
  endExecution(execution: Execution, outcome: ExecutionOutcome, endedAt: Date): void {
    this.connection.lightly(() => this.recordEnd(execution, outcome, endedAt));
  }

  private recordEnd({ executionId }: Execution, outcome: ExecutionOutcome, endedAt: Date): void {
    this.connection
      .prepare('update executions set outcome = ?, ended_at = ? where execution_id = ?')
      .run(outcome, endedAt.toISOString(), executionId);
  }

  /** A content hash, other than this one, that runs were measured with under a bank's `id@version`. */
  otherBankHash(bank: string, bankHash: string): string | undefined {
    const row = this.connection
      .prepare('select bank_hash from runs where bank = ? and bank_hash <> ? limit 1')
      .get(bank, bankHash) as { bank_hash: string } | undefined;
    return row?.bank_hash;
  }

  /** The run ids of every finished run, the oldest first. */
  finishedRuns(): string[] {
    return this.connection
      .prepare('select run_id from runs order by created_at, run_id')
      .pluck()
      .all() as string[];
  }

  close(): void {
    this.connection.close();
  }
}
