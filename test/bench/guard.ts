import { sha256Hex } from '../../src/base/canonical.js';
import { uuidv7 } from '../../src/base/ids.js';
import { openDatabase } from '../../src/operational/connection.js';
import { applyMigrations } from '../../src/operational/schema/apply.js';
import { migrationsFolder } from '../../src/operational/schema/files.js';
import { connectTo, removeTestServer, startTestServer } from '../database.js';
import { makeTempFolder, makeTestSettings, removeFolder } from '../helpers.js';
import { migrateOptions } from '../operational/migrations.js';
import { type Figure, median } from './measure.js';

/** A server that keeps what it says: the other benches and tests switch this off. */
const DURABLE = ['fsync=on', 'synchronous_commit=on', 'full_page_writes=on'];
const PAIRS = 400;

/**
 * What the guard adds to an insert as hx does it: one transaction of the application, over a connection, to the disk.
 * Each insert goes into the table of attempts and into one like it without the guard, in turn.
 */
export async function guardCost(): Promise<Figure[]> {
  const dataDir = makeTempFolder();
  const server = await startTestServer(dataDir, DURABLE);
  const settings = makeTestSettings({ DATABASE_URL: server.url ?? '', dataDir });
  try {
    await applyMigrations(migrateOptions({ settings }, migrationsFolder()));
    const admin = connectTo(server.url ?? '');
    await admin.unsafe('set role hx_owner; create table unguarded (like attempts including all); reset role');
    await admin.end();
    return [await compare(settings, 1), await compare(settings, 32)];
  } finally {
    await removeTestServer(dataDir);
    removeFolder(dataDir);
  }
}

async function compare(settings: ReturnType<typeof makeTestSettings>, rows: number): Promise<Figure> {
  const { signal } = new AbortController();
  const database = await openDatabase({ settings, signal, emit: () => undefined });
  const insert = async (table: 'attempts' | 'unguarded'): Promise<number> => {
    const attempts = Array.from({ length: rows }, attempt);
    const startedMs = performance.now();
    await database.write((sql) => sql`insert into ${sql(table)} ${sql(attempts)}`);
    return performance.now() - startedMs;
  };
  const guarded: number[] = [];
  const plain: number[] = [];
  for (let pair = -20; pair < PAIRS; pair += 1) {
    // Which of the two comes first changes, as the second finds a warmer machine.
    const first = pair % 2 === 0 ? 'attempts' : 'unguarded';
    const times = { [first]: await insert(first) };
    const second = first === 'attempts' ? 'unguarded' : 'attempts';
    times[second] = await insert(second);
    if (pair < 0) continue;
    guarded.push(times['attempts'] ?? Number.NaN);
    plain.push(times['unguarded'] ?? Number.NaN);
  }
  await database.close();
  const [withGuard, without] = [median(guarded), median(plain)];
  const detail = `${withGuard.toFixed(2)} ms against ${without.toFixed(2)} ms without, to the disk, ${PAIRS} pairs`;
  const name = `guard of ${rows === 1 ? 'one row' : `${rows} rows`}`;
  return { name, value: withGuard / without, unit: 'x', limit: 1.05, detail };
}

function attempt() {
  return {
    attempt_id: uuidv7(new Date()),
    run_id: uuidv7(new Date()),
    env: 'local',
    sample_key: sha256Hex('any'),
    template_id: 'plain-01',
    replicate: 0,
    ordinal: 1,
    status: 'valid',
    prob_true: 0.5,
    answer_text: '{"probability": 0.5}'.padEnd(200),
    started_at: new Date(),
    latency_ms: 300,
  };
}
