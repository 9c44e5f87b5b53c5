// Kills exports, sweeps and compactions of a lake with SIGKILL at random moments, fills its disk, and lets exporters, a
// compactor and readers work on it at once; proves that nobody ever sees a partial file, a missing or a double row.
// `npm run bench:lake-kill -- KILLS FILL_POINTS SECONDS`; by default 500, 50 and 60.
import { diskFull } from './faults/disk-full.js';
import { kills } from './faults/kills.js';
import { turmoil } from './faults/turmoil.js';

const [killCount = 500, fillPoints = 50, seconds = 60] = process.argv.slice(2).map(Number);
const say = (line: string) => void process.stderr.write(`${line}\n`);

const parts = [
  { name: 'kills', play: () => kills(killCount, say), isWanted: killCount > 0 },
  { name: 'disk full', play: () => diskFull(fillPoints, say), isWanted: fillPoints > 0 },
  { name: 'turmoil', play: () => turmoil(seconds), isWanted: seconds > 0 },
];
for (const { name, play, isWanted } of parts) {
  if (!isWanted) continue;
  const { line, failures } = await play();
  process.stdout.write(`${name}: ${line}\n`);
  for (const failure of failures) process.stdout.write(`FAILED: ${name}: ${failure}\n`);
  if (failures.length > 0) process.exitCode = 1;
}
