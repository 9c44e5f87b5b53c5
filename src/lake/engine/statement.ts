import type { DuckDBConnection, DuckDBPreparedStatement, DuckDBResult } from '@duckdb/node-api';
import { HxError, messageOf } from '../../base/errors.js';
import { Halting } from '../../base/halting.js';
import type { DuckdbApi } from './duckdb-api.js';
import type { QueryResult } from './query.js';
import { plainValues, toDuckdbValue } from './values.js';

export interface StatementOptions {
  readonly api: DuckdbApi;
  /** A connection for this statement alone; it is closed when the statement ends. */
  readonly connection: DuckDBConnection;
  /** A text that the guard let through. */
  readonly sql: string;
  /** Whether it is a SELECT of tables and files, without parameters. */
  readonly isOneSelect: boolean;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal | undefined;
  /** Translates what DuckDB throws. */
  readonly errorOf: (thrown: unknown) => HxError;
  readonly onEnd: (statement: RunningStatement) => void;
}

const INTERRUPT_EVERY_MS = 20;

/**
 * One statement from its start to its last chunk. DuckDB answers an interrupt between two steps of its work, and
 * some steps take long (planning, one huge value), so a stopped statement rejects at once and leaves the
 * connection to be closed when the step is over.
 */
export class RunningStatement {
  private readonly options: StatementOptions;
  private readonly steps = new Halting();
  private stopped = false;
  private ended = false;

  constructor(options: StatementOptions) {
    this.options = options;
    options.signal?.addEventListener('abort', this.interrupt, { once: true });
  }

  /**
   * Prepares, binds and starts.
   * @throws HxError as LakeEngine.run says; the statement has ended then.
   */
  async start(): Promise<QueryResult> {
    try {
      this.options.signal?.throwIfAborted();
      const result = await this.steps.wait(this.open());
      const columns = result
        .columnNames()
        .map((name, index) => ({ name, type: typeName(result.columnType(index)) }));
      return { columns, chunks: this.chunks(result) };
    } catch (error) {
      const reason = this.failure(error);
      this.end();
      throw reason;
    }
  }

  /** Stops it; whoever waits for it or reads its chunks gets an `interrupted` error. */
  readonly interrupt = (): void => {
    if (this.ended || this.stopped) return;
    this.stopped = true;
    const { connection } = this.options;
    connection.interrupt();
    // DuckDB forgets an interrupt that comes just before a step begins, so it is told until the step is over.
    const again = setInterval(() => connection.interrupt(), INTERRUPT_EVERY_MS).unref();
    void this.steps.idle().then(() => clearInterval(again));
    this.steps.halt(interrupted(undefined));
  };

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.options.signal?.removeEventListener('abort', this.interrupt);
    void this.steps.idle().then(() => this.options.connection.closeSync());
    this.options.onEnd(this);
  }

  private async open(): Promise<DuckDBResult> {
    const opened = this.options.isOneSelect ? await this.openUnprepared() : undefined;
    if (opened !== undefined) return opened;
    const prepared = await this.prepare(this.options.sql);
    if (this.stopped) throw interrupted(undefined);
    return prepared.stream();
  }

  /**
   * Runs a SELECT without preparing it: one that reads files is planned when it is prepared and once more when it
   * runs, which takes most of the time of a small question. DuckDB's `query` takes the text as a value, plans it as it
   * runs, and refuses all but a single SELECT.
   * @returns undefined for what has to be prepared after all.
   */
  private async openUnprepared(): Promise<DuckDBResult | undefined> {
    const prepared = await this.options.connection.prepare('FROM query($1)');
    prepared.bindVarchar(1, this.options.sql);
    if (this.stopped) throw interrupted(undefined);
    try {
      const result = await prepared.stream();
      return hasRenamedColumn(result.columnNames()) ? undefined : result;
    } catch (error) {
      // The place that it draws is one of our text; the statement itself says the same of its own.
      if (this.stopped || !/\nLINE \d+:/.test(messageOf(error))) throw error;
      return undefined;
    }
  }

  private async *chunks(result: DuckDBResult): AsyncGenerator<unknown[][]> {
    const rows = result.yieldConvertedRows(plainValues(this.options.api))[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.steps.wait(rows.next());
        if (next.done) break;
        yield next.value;
      }
      // The driver ends a stream that broke just like one that is complete; only this flag tells them apart.
      if (!result.isStreaming) throw await this.steps.wait(this.reasonOfBreak());
    } catch (error) {
      throw this.failure(error);
    } finally {
      this.end();
    }
  }

  /** Why a stream broke: the driver does not say, so the statement runs again with its rows thrown away. */
  private async reasonOfBreak(): Promise<unknown> {
    try {
      const again = await this.prepare(`EXPLAIN ANALYZE ${this.options.sql}`);
      if (!this.stopped) await again.run();
    } catch (error) {
      return error;
    }
    return new HxError('failed', 'The statement failed while its rows were read.', {
      hint: 'The rows so far are incomplete. Run it again.',
    });
  }

  private async prepare(sql: string): Promise<DuckDBPreparedStatement> {
    const { api, connection, parameters } = this.options;
    const prepared = await connection.prepare(sql);
    const { SELECT, EXPLAIN } = api.StatementType;
    if (prepared.statementType !== SELECT && prepared.statementType !== EXPLAIN) {
      throw new HxError('refused', 'The lake runs queries only.');
    }
    bind(api, prepared, parameters);
    return prepared;
  }

  private failure(error: unknown): HxError {
    const { signal, errorOf } = this.options;
    if (signal?.aborted && signal.reason instanceof HxError) return signal.reason;
    return this.stopped || signal?.aborted ? interrupted(error) : errorOf(error);
  }
}

/**
 * What a promise gives, or a rejection as soon as the signal is aborted; the work behind it goes on unheard.
 * @throws HxError `interrupted`, or the signal's own reason.
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const steps = new Halting();
  const onAbort = () => steps.halt(reasonOf(signal));
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const waiting = steps.wait(work);
    if (signal?.aborted) onAbort();
    return await waiting;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function reasonOf(signal: AbortSignal | undefined): HxError {
  return signal?.reason instanceof HxError ? signal.reason : interrupted(signal?.reason);
}

function interrupted(cause: unknown): HxError {
  return new HxError('interrupted', 'The query was interrupted.', { cause });
}

function bind(
  api: DuckdbApi,
  prepared: DuckDBPreparedStatement,
  parameters: Readonly<Record<string, unknown>>,
): void {
  const count = prepared.parameterCount;
  const wanted = Array.from({ length: count }, (_, index) => prepared.parameterName(index + 1));
  const hint = count === 0 ? 'The statement has none.' : `It takes: ${wanted.join(', ')}.`;
  const unknown = Object.keys(parameters).find((name) => !wanted.includes(name));
  if (unknown !== undefined) {
    throw new HxError('usage', `The statement has no parameter "${unknown}".`, { hint });
  }
  for (const [index, name] of wanted.entries()) {
    const value = toDuckdbValue(api, parameters[name]);
    if (value === undefined) throw new HxError('usage', `The parameter "${name}" has no value.`, { hint });
    prepared.bindValue(index + 1, value);
  }
}

/** Whether a subquery had two columns of a name, of which it numbers the later ones: `a`, `a_1`. */
function hasRenamedColumn(names: readonly string[]): boolean {
  const known = new Set(names.map((name) => name.toLowerCase()));
  return [...known].some((name) => known.has(name.replace(/_\d+$/, '')) && /_\d+$/.test(name));
}

/** JSON is a VARCHAR to the driver, told apart by its alias only. */
function typeName(type: { alias?: string; toString(): string }): string {
  return type.alias ?? type.toString();
}
