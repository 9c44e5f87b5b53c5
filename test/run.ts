// Runs every test file in one process, and fails unless every test that was defined has passed. The runner's own
// exit code is not enough: a hook that throws, or an error that its reporter cannot print, ends a suite early and
// quietly, with fewer tests passed than there are.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const RUNNER = fileURLToPath(new URL('../node_modules/uvu/bin.js', import.meta.url));
// Whatever paths are asked for, only tests are loaded: other files beside them are programs, some of which never end.
const pattern = `^(?=.*\\.test\\.tsx?$).*(?:${process.argv[2] ?? ''})`;

const child = spawn(process.execPath, ['--import', 'tsx', RUNNER, '--no-color', 'test', pattern], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
let output = '';
child.stdout.on('data', (chunk: Buffer) => {
  output += chunk.toString('utf8');
  process.stdout.write(chunk);
});
child.on('close', (exitCode, signal) => {
  const total = figure('Total');
  const passed = figure('Passed');
  const failed = total - passed;
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  if (signal !== null) process.stderr.write(`The tests ended by ${signal}.\n`);
  process.exitCode = exitCode === 0 && total > 0 && failed === 0 ? 0 : 1;
});

/** A figure of the runner's last lines; 0 when it never came to print them. */
function figure(name: string): number {
  return Number(new RegExp(`^ {2}${name}: +(\\d+)$`, 'm').exec(output)?.[1] ?? 0);
}
