// The way through Docker without Docker: a program of that name that answers as Compose does, over a real server.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clusterFolder, readState } from '../../src/operational/server/cluster.js';
import { localDown, localReset, localUp, type UpOptions } from '../../src/operational/server/local.js';
import { failureOf, makeTempFolder, removeFolder } from '../helpers.js';

const test = suite('docker engine');
const path = process.env['PATH'];
let dataDir: string;

/** Puts a docker on the path; `$*` of every call lands in the log, with what it was given to read after `exec`. */
function fakeDocker(upExit: number): { log: () => string } {
  const folder = makeTempFolder();
  const log = join(folder, 'log');
  writeFileSync(
    join(folder, 'docker'),
    `#!/bin/sh
echo "$*" >> ${log}
case "$*" in
  *" up "*) [ ${upExit} = 0 ] || { echo "no such host" >&2; exit ${upExit}; };;
  *" exec "*) cat >> ${log};;
  *" ps "*) echo;;
esac
`,
  );
  chmodSync(join(folder, 'docker'), 0o755);
  process.env['PATH'] = `${folder}:${path}`;
  return { log: () => readFileSync(log, 'utf8') };
}

test.before.each(() => {
  dataDir = makeTempFolder();
});
test.after.each(() => {
  process.env['PATH'] = path;
  removeFolder(dataDir);
});

function options(changes: Partial<UpOptions> = {}): UpOptions {
  const { signal } = new AbortController();
  return { dataDir, signal, emit: () => undefined, engine: 'docker', port: undefined, ...changes };
}

test('what Compose could not start is not remembered, so the other engine can be chosen', async () => {
  fakeDocker(1);
  const error = await failureOf(localUp(options()));
  assert.is(error.code, 'unavailable');
  assert.match(error.message, /docker compose up failed: no such host/);
  assert.match(error.hint ?? '', /--engine embedded/);
  const cluster = clusterFolder(dataDir);
  assert.is(existsSync(cluster.stateFile), false);
});

test('a first start sets the password of whatever volume is there, and never on a command line', async () => {
  const { log } = fakeDocker(0);
  // Nothing listens behind this docker, so the start fails after it.
  await localUp(options()).catch(() => undefined);
  const password = readState(clusterFolder(dataDir))?.password ?? 'none';
  const calls = log();
  assert.match(calls, /compose --file .*compose\.yaml --project-name hx-[0-9a-f]{12} up --detach --wait/);
  assert.match(calls, /exec -T postgres psql .*\nALTER ROLE postgres PASSWORD/);
  const commands = calls.split('\n').filter((line) => line.startsWith('compose'));
  assert.not.ok(commands.some((line) => line.includes(password)));
});

test('without Docker, a cluster of Docker says how to go on', async () => {
  fakeDocker(0);
  await localUp(options()).catch(() => undefined);
  const folder = makeTempFolder();
  writeFileSync(
    join(folder, 'docker'),
    '#!/bin/sh\necho "Cannot connect to the Docker daemon" >&2\nexit 1\n',
  );
  chmodSync(join(folder, 'docker'), 0o755);
  process.env['PATH'] = `${folder}:${path}`;
  for (const work of [localDown(options()), localReset(options())]) {
    const error = await failureOf(work);
    assert.match(error.message, /Cannot connect to the Docker daemon/);
    assert.match(error.hint ?? '', /remove .*server\.json and run hx db up --engine embedded/);
  }
});

test.run();
