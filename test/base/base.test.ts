import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalHash, canonicalJson } from '../../src/base/canonical.js';
import { loadSettings } from '../../src/base/config.js';
import { parseEnvironment } from '../../src/base/environments.js';
import { ERROR_CODES, HxError, toHxError } from '../../src/base/errors.js';
import { isUuid, uuidv7 } from '../../src/base/ids.js';
import { maskSecret, maskUrl } from '../../src/base/secrets.js';
import { parseUtcDate, sleep, utcDate } from '../../src/base/time.js';
import { makeTempFolder, removeFolder } from '../helpers.js';

const base = suite('base');

const hasCode = (code: string) => (error: unknown) => error instanceof HxError && error.code === code;

base('canonical JSON follows RFC 8785', () => {
  assert.is(
    canonicalJson({ b: [1e21, 0.1, -0, null, true], a: 'é"\\\n', z: undefined }),
    '{"a":"é\\"\\\\\\n","b":[1e+21,0.1,0,null,true]}',
  );
  assert.is(
    canonicalJson({ '\u20ac': 1, '\r': 2, '1': 3, '\ud83d\ude00': 4 }),
    '{"\\r":2,"1":3,"€":1,"😀":4}',
  );
  assert.is(canonicalHash({ a: 1, b: 2 }), canonicalHash({ b: 2, a: 1 }));
  assert.throws(() => canonicalJson(Number.NaN), hasCode('bug'));
  assert.throws(() => canonicalJson('\ud800'), hasCode('bug'));
});

base('settings: flag beats process environment beats .env.<name> beats .env beats default', () => {
  const folder = makeTempFolder();
  writeFileSync(
    join(folder, '.env'),
    'HX_MODEL=from-env-file\nHX_CONCURRENCY=3\nHX_PG_PORT=1\nOPENAI_API_KEY="a b#c"\n',
  );
  writeFileSync(join(folder, '.env.development'), 'HX_CONCURRENCY=4\nHX_PG_PORT=2\n');
  const settings = loadSettings({
    flags: { HX_ENV: 'neon-dev' },
    variables: { HX_PG_PORT: '5', HX_ENV: 'production', HX_MODEL: '' },
    folder,
  });
  assert.is(settings.environment, 'development');
  assert.is(settings.describe('HX_ENV').source, 'flag');
  assert.is(settings.get('HX_PG_PORT'), '5');
  assert.is(settings.describe('HX_PG_PORT').source, 'environment');
  assert.is(settings.get('HX_CONCURRENCY'), '4');
  assert.is(settings.describe('HX_CONCURRENCY').source, '.env.development');
  assert.is(settings.get('HX_MODEL'), 'from-env-file');
  assert.is(settings.get('OPENAI_API_KEY'), 'a b#c');
  assert.not.match(settings.describe('OPENAI_API_KEY').shown, 'a b');
  assert.is(settings.describe('HX_DATA_DIR').source, 'default');
  assert.is(settings.dataDir, join(folder, 'data'));
  removeFolder(folder);
});

base('a setting out of range is named with its source', () => {
  const settings = loadSettings({ variables: { HX_CONCURRENCY: '0' }, folder: makeTempFolder() });
  assert.throws(() => settings.number('HX_CONCURRENCY'), /HX_CONCURRENCY \(from environment\) is "0"/);
});

base('environments are known by name and alias', () => {
  assert.is(parseEnvironment('neon'), 'production');
  assert.is(parseEnvironment('neon-dev'), 'development');
  assert.is(parseEnvironment('local'), 'local');
  assert.throws(() => parseEnvironment('staging'), hasCode('usage'));
});

base('dates are UTC and must exist', () => {
  assert.is(utcDate(parseUtcDate('2024-02-29', '--since')), '2024-02-29');
  for (const text of ['2026-02-29', '2026-2-1', 'yesterday', '2026-11-01T00:00:00Z', '']) {
    assert.throws(() => parseUtcDate(text, '--since'), hasCode('usage'));
  }
});

base('UUIDs are of version 7, sort by time and differ', () => {
  const early = uuidv7(new Date(1_000));
  const late = uuidv7(new Date(2_000));
  assert.ok(isUuid(early) && early[14] === '7');
  assert.ok(early < late);
  assert.is.not(uuidv7(new Date(1_000)), early);
});

base('secrets are masked', () => {
  assert.is(maskUrl('postgres://me:hunter2@h/db'), 'postgres://me:••••@h/db');
  assert.not.match(maskUrl('postgres://me:p%40ss@h/db?x=1'), 'p%40ss');
  assert.not.match(maskUrl('not a url with hunter2'), 'hunter2');
  assert.is(maskUrl('postgres://h/db?user=me&password=hunter2'), 'postgres://h/db?user=me&password=••••');
  assert.not.match(maskUrl('postgres://me:one@h/db?sslpassword=two'), /one|two/);
  assert.is(maskUrl('postgres://h/db?sslmode=verify-full'), 'postgres://h/db?sslmode=verify-full');
  assert.is(maskSecret('short'), '••••');
  assert.is(maskSecret('sk-0123456789abcdef'), '••••cdef');
});

base('unknown errors become bugs and aborts interruptions', () => {
  assert.is(toHxError(new TypeError('x')).exitCode, 70);
  assert.is(toHxError(new DOMException('stop', 'AbortError')).exitCode, 130);
  for (const { exit, status } of Object.values(ERROR_CODES)) {
    assert.ok([1, 2, 3, 4, 70, 130].includes(exit) && status >= 400 && status < 600);
  }
});

base('sleep ends early with the reason of its signal', async () => {
  const controller = new AbortController();
  const asleep = sleep(60_000, controller.signal);
  controller.abort(new HxError('interrupted', 'stop'));
  let thrown: unknown;
  await asleep.catch((error: unknown) => {
    thrown = error;
  });
  assert.ok(hasCode('interrupted')(thrown));
});

base.run();
