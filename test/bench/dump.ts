import { join } from 'node:path';
import { createTestDatabase, makeTempFolder, removeFolder } from '../helpers.js';
import { writeAs } from '../operational/fixtures.js';
import { type Figure, runMeasured } from './measure.js';

const ROWS = 100_000;
/** What hx needs without any row, and half of what these would take beside it. */
const LIMIT_MEGABYTES = 160;

/** What `hx db dump` and `hx db restore` of 100 MB of rows hold in memory at most. */
export async function dumpPeaks(): Promise<Figure[]> {
  const folder = makeTempFolder();
  const source = await createTestDatabase();
  const target = await createTestDatabase();
  try {
    await writeAs(
      source.sql,
      'local',
      `insert into users (email) select repeat('x', 1000) || n || '@example.org' from generate_series(1, ${ROWS}) n`,
    );
    const file = join(folder, 'x.dump.gz');
    const dump = await runMeasured(['db', 'dump', '-o', file, '--quiet'], source.variables);
    const restore = await runMeasured(['db', 'restore', file, '--quiet'], target.variables);
    return Object.entries({ dump, restore }).map(([what, { megabytes, seconds }]) => ({
      name: `peak of a ${what}`,
      value: megabytes,
      unit: 'MB',
      limit: LIMIT_MEGABYTES,
      detail: `${ROWS} rows of a kilobyte, ${seconds.toFixed(1)} s`,
    }));
  } finally {
    await source.drop();
    await target.drop();
    removeFolder(folder);
  }
}
