import { openLakeEngine } from '../../../src/lake/engine/engine.js';
import { errorOf } from '../collect.js';
import { actingAttempts, readingAttempts } from './attempts.js';

/**
 * Makes every attempt in a process of its own, whose standard output and input are watched: what DuckDB prints or
 * reads there natively, nobody inside the process can see. The outcome goes to standard error.
 */
const [dataDir = '', inside = '', secret = '', spill = ''] = process.argv.slice(2);
const places = { dataDir, inside, secret, spill };

async function main(): Promise<void> {
  const engine = await openLakeEngine({ dataDir });
  const codes: Record<string, number> = {};
  for (const sql of [...readingAttempts(places), ...actingAttempts(places)]) {
    const { code } = await errorOf(engine, sql);
    codes[code] = (codes[code] ?? 0) + 1;
  }
  engine.close();
  process.stderr.write(JSON.stringify(codes));
}

await main();
