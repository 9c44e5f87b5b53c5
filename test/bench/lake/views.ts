import { openLakeEngine } from '../../../src/lake/engine.js';
import { removeFolder } from '../../helpers.js';
import { runRows } from '../../lake/collect.js';
import { type Figure, median, timeMs } from '../measure.js';
import { makeSampleLake, QUESTIONS } from './sample-lake.js';
import type { Scene } from './scene.js';

/** How many files, and over how many days. */
const LAKES = [
  [10, 1],
  [1_000, 10],
  [50_000, 130],
] as const;

/** What opening a lake and asking it costs, the more small files it has. */
export const scene: Scene = {
  async play(say) {
    const figures: Figure[] = [];
    for (const [files, days] of LAKES) {
      say(`writing ${files} files`);
      const dataDir = await makeSampleLake(files, days);
      figures.push(...(await lakeFigures(dataDir, files)));
      removeFolder(dataDir);
    }
    return figures;
  },
};

async function lakeFigures(dataDir: string, files: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  const opened = await timeMs(async () => (await openLakeEngine({ dataDir })).close(), {
    runs: 5,
    warmUp: 1,
  });
  const engine = await openLakeEngine({ dataDir });
  const runs = { runs: files > 10_000 ? 3 : 11, warmUp: 1 };
  const times: string[] = [];
  for (const [name, sql] of Object.entries(QUESTIONS)) {
    times.push(`${name} ${median(await timeMs(() => runRows(engine, sql), runs)).toFixed(0)} ms`);
  }
  engine.close();
  figures.push({
    name: `views ready, ${files} files`,
    value: median(opened),
    unit: 'ms',
    limit: 30,
    detail: times.join(', '),
  });
  return figures;
}
