import { type Figure, printFigures } from '../measure.js';
import type { Scene } from './scene.js';

/** Every scene by name, each loaded when it is played: `npm run bench:lake -- views swaps` plays two. */
const SCENES: Readonly<Record<string, () => Promise<{ scene: Scene }>>> = {
  views: () => import('./views.js'),
  bulk: () => import('./bulk.js'),
  append: () => import('./append.js'),
  swaps: () => import('./swaps.js'),
  export: () => import('./export.js'),
  watermark: () => import('./watermark.js'),
  'one-shot': () => import('./one-shot.js'),
  shell: () => import('./shell.js'),
  queries: () => import('./queries.js'),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in SCENES));
if (unknown.length > 0) {
  process.stderr.write(`No scene ${unknown.join(', ')}; there are: ${Object.keys(SCENES).join(', ')}.\n`);
  process.exit(2);
}
const figures: Figure[] = [];
for (const [name, load] of Object.entries(SCENES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const { scene } = await load();
  figures.push(...(await scene.play((line) => process.stderr.write(`${name}: ${line}\n`))));
}
printFigures(figures);
if (figures.some(({ value, limit }) => !(value <= limit))) process.exitCode = 1;
