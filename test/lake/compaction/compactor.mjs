// A process that compacts a lake over and over, as the built program does, until it is killed.
import { setTimeout } from 'node:timers/promises';
import { compact } from '../../../dist/lake/compaction/compact.js';
import { LocalStorage } from '../../../dist/lake/storage/local.js';

const [dataDir = '', graceMs = '0'] = process.argv.slice(2);
const storage = new LocalStorage(`${dataDir}/exports`);
process.stdout.write('ready\n');
for (let round = 0; ; round += 1) {
  const compaction = await compact({
    storage,
    dataDir,
    environment: 'local',
    urgency: round % 3 === 0 ? 'many' : 'any',
    graceMs: Number(graceMs),
    now: () => new Date(),
  });
  if (compaction !== undefined) process.stdout.write(`${compaction.days.length} ${compaction.removed}\n`);
  await setTimeout(10);
}
