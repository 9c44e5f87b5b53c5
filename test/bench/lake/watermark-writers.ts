import postgres, { type Sql } from 'postgres';
import { sleep } from '../../../src/base/time.js';
import { Prng } from '../../../src/rpl/prng.js';

/** Copies a stored check under a new run id, as of now. */
const INSERT = `insert into checks select made.*
  from (select * from checks order by created_at limit 1) first, generate_series(1, $1::int) as n,
    jsonb_populate_record(null::checks, to_jsonb(first) || jsonb_build_object('run_id', gen_random_uuid(),
      'created_at', now(), 'xid', pg_current_xact_id()::text, 'cache_key', n::text)) as made`;

export interface WriterOptions {
  readonly url: string;
  /** How many write side by side. */
  readonly writers: number;
  /** Whether to go on, after so many rows. */
  readonly isWanted: (rows: number) => boolean;
  readonly rowsOfTransaction: number;
  /** How long a transaction stays open at most, before it commits; one in ten rolls back. */
  readonly longestMs: number;
}

/**
 * Commits checks in transactions that stay open for any time, so that they commit in another order than they begin.
 * @returns how many rows were committed.
 */
export async function writeSideBySide(options: WriterOptions): Promise<number> {
  const { url, writers, isWanted, longestMs, rowsOfTransaction } = options;
  const sql = postgres(url, { max: writers, onnotice: () => undefined });
  let rows = 0;
  const write = async (seed: number) => {
    const prng = new Prng(BigInt(seed));
    while (isWanted(rows)) {
      rows += rowsOfTransaction;
      await writeOne(sql, rowsOfTransaction, prng, longestMs);
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, index) => write(index + 1)));
  await sql.end();
  return rows;
}

async function writeOne(sql: Sql, count: number, prng: Prng, longestMs: number): Promise<void> {
  for (let isCommitted = false; !isCommitted; ) {
    isCommitted = prng.uniform() > 0.1;
    const keep = isCommitted;
    await sql
      .begin(async (transaction) => {
        await transaction`select set_config('hx.env', 'local', true)`;
        await transaction.unsafe(INSERT, [count]);
        await sleep(prng.uniform() * longestMs);
        if (!keep) throw new RolledBack();
      })
      .catch((error: unknown) => {
        if (!(error instanceof RolledBack)) throw error;
      });
  }
}

class RolledBack extends Error {}
