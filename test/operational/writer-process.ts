// Runs so many simulated checks of an environment, with its variables: node --import tsx writer-process.ts ENV COUNT.
// Prints the number of those that were stored.
import { runHx } from '../helpers.js';

const [environment = '', count = '0'] = process.argv.slice(2);
let stored = 0;
for (let index = 0; index < Number(count); index += 1) {
  const argv = ['check', `Claim ${index}`, '--model', 'simulator/default', '--env', environment];
  const { exitCode, stderr } = await runHx(argv, { env: process.env });
  if (exitCode === 0) stored += 1;
  else process.stderr.write(stderr);
}
process.stdout.write(`${stored}\n`);
