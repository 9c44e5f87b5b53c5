import { connect, createServer } from 'node:net';
import postgres from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sleep } from '../../src/base/time.js';
import { copyOut } from '../../src/operational/copy.js';
import { createTestDatabase } from '../helpers.js';

const test = suite('copy out');

/** CopyDone: after the last row, before the server says that the statement is over. */
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
/** What comes after it arrives so much later. */
const DELAY_MS = 50;
const LONGEST_MS = 20_000;

/** Stands before a server, and hands on rows and their end at once but the end of the statement by itself. */
async function startSplitter(url: string) {
  const target = new URL(url);
  const { hostname: host, port } = target;
  const server = createServer((client) => {
    const upstream = connect({ host, port: Number(port) });
    client.on('data', (data: Buffer) => upstream.write(data));
    let held = Buffer.alloc(0);
    upstream.on('data', (data: Buffer) => {
      held = Buffer.concat([held, data]);
      // CopyOutResponse is the first byte of an answer of rows, as the driver sends one statement at a time.
      if (held[0] !== 0x48 && !held.includes(COPY_DONE)) {
        client.write(held);
        held = Buffer.alloc(0);
        return;
      }
      const at = held.indexOf(COPY_DONE);
      if (at < 0) return;
      const [rows, rest] = [held.subarray(0, at + COPY_DONE.length), held.subarray(at + COPY_DONE.length)];
      held = Buffer.alloc(0);
      client.write(rows);
      setTimeout(() => client.write(rest), DELAY_MS);
    });
    for (const socket of [client, upstream]) {
      const end = () => [client, upstream].forEach((one) => void one.destroy());
      socket.on('error', end).on('close', end);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  target.port = String((server.address() as { port: number }).port);
  return { url: target.toString(), stop: () => server.close() };
}

test('the next statement is answered also when rows came faster than they were taken until the very end', async () => {
  const database = await createTestDatabase();
  const splitter = await startSplitter(database.url);
  const sql = postgres(splitter.url, { max: 1, onnotice: () => undefined });
  const patience = new AbortController();
  try {
    const bytes = await Promise.race([
      sql.begin(async (transaction) => {
        let copied = 0;
        for (let turn = 0; turn < 3; turn += 1) {
          const rows = "copy (select repeat('x', 999) from generate_series(1, 30)) to stdout";
          for await (const batch of copyOut(transaction, rows)) copied += batch.length;
          await transaction`select 1`;
        }
        return copied;
      }),
      sleep(LONGEST_MS, patience.signal).then(() => 'nothing comes any more'),
    ]);
    assert.is(bytes, 90_000);
  } finally {
    patience.abort();
    await sql.end({ timeout: 1 });
    splitter.stop();
    await database.drop();
  }
});

/** Rows without end: who waits for the last one waits for ever. */
const ENDLESS = "copy (select repeat('x', 999), generate_series(1, 1000000000000)) to stdout";

async function leaveEarly(sql: postgres.TransactionSql): Promise<void> {
  for await (const batch of copyOut(sql, ENDLESS)) {
    assert.ok(batch.length > 0);
    return;
  }
}

async function stopBySignal(sql: postgres.TransactionSql): Promise<void> {
  const stop = new AbortController();
  for await (const batch of copyOut(sql, ENDLESS, stop.signal)) {
    assert.ok(batch.length > 0);
    stop.abort(new Error('enough'));
  }
}

test('a reader who leaves or is told to stop has the server stop, and the session goes on', async () => {
  const database = await createTestDatabase();
  const sql = postgres(database.url, { max: 1, onnotice: () => undefined });
  const patience = new AbortController();
  const session = sql as unknown as postgres.TransactionSql;
  const read = async () => {
    await leaveEarly(session);
    const [after] = await sql`select 1 as number`;
    const problem = await stopBySignal(session).catch((error: Error) => error.message);
    const [last] = await sql`select 2 as number`;
    return { after, problem, last };
  };
  try {
    const seen = await Promise.race([
      read(),
      sleep(LONGEST_MS, patience.signal).then(() => 'the server goes on and on'),
    ]);
    assert.equal(seen, { after: { number: 1 }, problem: 'enough', last: { number: 2 } });
  } finally {
    patience.abort();
    await sql.end({ timeout: 1 });
    await database.drop();
  }
});

test('who leaves early stops the copy and no statement after it', async () => {
  const database = await createTestDatabase();
  const sql = postgres(database.url, { max: 1, onnotice: () => undefined });
  try {
    for (let turn = 0; turn < 25; turn += 1) {
      // Few enough rows to have all been sent by then.
      const rows = `copy (select repeat('x', 999) from generate_series(1, ${300 + turn * 30})) to stdout`;
      const left = await sql
        .begin(async (transaction) => {
          for await (const _ of copyOut(transaction, rows)) throw new Error('enough');
        })
        .catch((error: Error) => error.message);
      assert.is(left, 'enough');
      await sql`select pg_sleep(0.02)`;
    }
  } finally {
    await sql.end();
    await database.drop();
  }
});

test.run();
