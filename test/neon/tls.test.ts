import { createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testCluster } from '../database.js';
import { failureOf, makeTempFolder } from '../helpers.js';
import type { NeonBench } from './bench.js';
import { makeAuthority } from './certificates.js';
import { changed, DATABASE, open, startMigratedBench, withDatabase } from './client.js';
import { directHost } from './names.js';

const test = suite('neon: TLS');
let bench: NeonBench;

test.before(async () => {
  bench = await startMigratedBench();
});

test('both endpoints are reached over verified TLS, with channel_binding in the address', async () => {
  for (const url of [bench.direct(DATABASE), bench.pooled(DATABASE)]) {
    await withDatabase(changed(url, { query: { channel_binding: 'require' } }), async (database) => {
      const rows = await database.read(
        (sql) => sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`,
      );
      assert.equal([...rows], [{ ssl: true }]);
    });
  }
});

test('a certificate of an unknown or another authority is refused, whatever sslmode says', async () => {
  const other = await makeAuthority(makeTempFolder(), 'other');
  for (const sslmode of ['require', 'prefer', 'verify-full']) {
    for (const sslrootcert of [null, other.certificate]) {
      const error = await failureOf(
        open(changed(bench.direct(DATABASE), { query: { sslmode, sslrootcert } })),
      );
      assert.is(error.exitCode, 3);
      assert.match(error.message, /^The TLS connection to the development database cannot be trusted: /);
      assert.match(error.hint ?? '', /DATABASE_URL_DEV.*sslrootcert/);
    }
  }
});

test('a certificate for another host is refused', async () => {
  for (const host of ['localhost', 'ep-test.elsewhere.neon.localhost']) {
    const error = await failureOf(open(changed(bench.direct(DATABASE), { host })));
    assert.match(error.message, /cannot be trusted: .*does not match certificate/);
  }
});

test('a server without TLS beyond this machine is refused before anything is sent to it', async () => {
  const cluster = await testCluster();
  const url = changed(cluster.url('postgres'), { host: directHost('ep-plain') });
  const error = await failureOf(open(url));
  assert.is(error.exitCode, 3);
  assert.match(error.message, /cannot be trusted: the server offers no TLS/);
  const off = await failureOf(open(changed(url, { query: { sslmode: 'disable' } })));
  assert.match(off.message, /switches TLS off/);
});

test('bytes that somebody slips in before the handshake are refused', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write('S and more'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const error = await failureOf(open(changed(bench.direct(DATABASE), { port: address.port })));
  assert.match(error.message, /cannot be trusted/);
  await new Promise((resolve) => server.close(resolve));
});

test.run();
