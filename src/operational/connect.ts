import type { Sql } from 'postgres';
import type { Settings } from '../base/config.js';
import { HxError, messageOf, systemCode } from '../base/errors.js';
import type { EmitProgress } from '../base/events.js';
import { sleep } from '../base/time.js';
import { describeLink, warningOf } from './link.js';
import {
  connectDeadlineMs,
  isLoopback,
  openSession,
  parseDatabaseUrl,
  type SessionOptions,
} from './session.js';
import { directTarget, type EnvironmentTarget, findTarget } from './target.js';
import { isPassingConnectionError, translateDatabaseError } from './translate.js';

/** The wait between two tries doubles up to the longest; chance spreads the tries of many clients. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 3_000;
/** One try, of which a silent server must not take all the time there is. */
const ATTEMPT_TIMEOUT_MS = 15_000;
/** The last try gets this long even at the deadline, so that its own failure is told and not the lack of time. */
const LAST_ATTEMPT_MS = 500;
const TELL_EVERY_MS = 1_000;

/** Nothing is under way when a database is closed; only a connection that was lost makes the driver wait. */
export const END_TIMEOUT_SECONDS = 1;

/** What a command that connects to the chosen environment's database hands on. */
export interface OpenOptions {
  readonly settings: Settings;
  readonly signal: AbortSignal;
  readonly emit: EmitProgress;
}

/**
 * Opens connections and makes sure that the server answers, waiting for one that may be waking up. Only connecting
 * is tried again, never a statement; a server of this machine that refuses at once is down, not waking up.
 * @throws HxError, translated; the reason of `signal` at once when it is aborted.
 */
export async function connect(
  target: EnvironmentTarget,
  options: SessionOptions,
  signal: AbortSignal,
  emit: EmitProgress,
): Promise<Sql> {
  const wait = new Wait(target, emit);
  try {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        const timeoutMs = Math.max(LAST_ATTEMPT_MS, Math.min(ATTEMPT_TIMEOUT_MS, wait.leftMs()));
        const sql = await attempt(target, options, timeoutMs, signal);
        const warning = warningOf(describeLink(target, sql));
        if (warning !== undefined)
          emit({ type: 'note', message: `On ${target.errors.database}: ${warning}.` });
        return sql;
      } catch (error) {
        signal.throwIfAborted();
        if (!isWorthRetrying(error, target) || wait.leftMs() <= 0) throw wait.gaveUp(error);
        wait.tell(messageOf(error));
        await sleep(Math.min(pauseMs * (0.5 + Math.random()), wait.leftMs()), signal);
      }
    }
  } finally {
    wait.end();
  }
}

/** Connects for work that needs one session throughout, which no pooler gives: to the endpoint behind a pooled one. */
export async function connectDirectly(
  target: EnvironmentTarget,
  options: SessionOptions,
  signal: AbortSignal,
  emit: EmitProgress,
): Promise<Sql> {
  const direct = directTarget(target);
  if (direct !== target) {
    const { hostname } = parseDatabaseUrl(direct);
    emit({
      type: 'note',
      message: `${target.setting} names the pooled endpoint; going to ${hostname} directly.`,
    });
  }
  return connect(direct, options, signal, emit);
}

/** Connects directly to the chosen environment's database for `work`, translates its errors and closes. */
export async function withDirectSession<T>(
  { settings, signal, emit }: OpenOptions,
  options: Omit<SessionOptions, 'max'>,
  work: (sql: Sql, target: EnvironmentTarget) => Promise<T>,
): Promise<T> {
  const target = findTarget(settings);
  const sql = await connectDirectly(target, { max: 1, ...options }, signal, emit);
  try {
    return await work(sql, target);
  } catch (error) {
    throw translateDatabaseError(error, target.errors);
  } finally {
    await sql.end({ timeout: END_TIMEOUT_SECONDS });
  }
}

async function attempt(
  target: EnvironmentTarget,
  options: SessionOptions,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Sql> {
  signal.throwIfAborted();
  const sql = await openSession(target, options);
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const timer = setTimeout(() => over.abort(noAnswer()), timeoutMs);
  try {
    await Promise.race([sql`select 1`, rejectedBy(stop)]);
    return sql;
  } catch (error) {
    await sql.end({ timeout: 0 });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function noAnswer(): Error {
  return Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' });
}

function isWorthRetrying(error: unknown, target: EnvironmentTarget): boolean {
  if (!isPassingConnectionError(error)) return false;
  return !(systemCode(error) === 'ECONNREFUSED' && isLoopback(parseDatabaseUrl(target).hostname));
}

/** The time for one connection to come about, told about while it lasts. */
class Wait {
  private readonly target: EnvironmentTarget;
  private readonly emit: EmitProgress;
  private readonly startedMs = performance.now();
  private readonly limitMs: number;
  private readonly ticker: NodeJS.Timeout;
  private told = false;
  private reason: string | null = null;

  constructor(target: EnvironmentTarget, emit: EmitProgress) {
    this.target = target;
    this.emit = emit;
    this.limitMs = connectDeadlineMs(target);
    this.ticker = setInterval(() => this.tell(), TELL_EVERY_MS);
  }

  elapsedMs(): number {
    return performance.now() - this.startedMs;
  }

  leftMs(): number {
    return Math.max(0, this.limitMs - this.elapsedMs());
  }

  /** @param reason what the last try failed of; by default the reason that is known already. */
  tell(reason = this.reason): void {
    this.told = true;
    this.reason = reason;
    this.show(this.leftMs());
  }

  end(): void {
    clearInterval(this.ticker);
    if (this.told) this.show(null);
  }

  /** What the last try failed of, and how long there were tries. */
  gaveUp(error: unknown): unknown {
    const translated = translateDatabaseError(error, this.target.errors);
    if (!this.told || !(translated instanceof HxError)) return translated;
    const { code, message, hint, facts } = translated;
    const waited = `${message}; hx tried for ${Math.round(this.elapsedMs() / 1_000)} s`;
    return new HxError(code, waited, { hint, facts, cause: error });
  }

  private show(leftMs: number | null): void {
    const what = this.target.errors.database;
    this.emit({ type: 'wait', what, reason: this.reason, elapsedMs: this.elapsedMs(), leftMs });
  }
}
