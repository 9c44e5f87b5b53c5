import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { sleep } from '../../src/base/time.js';
import { serverAccount } from '../../src/operational/server/account.js';
import { giveTo } from '../../src/operational/server/copies.js';
import { findTool } from './tools.js';

const START_WITHIN_MS = 10_000;
const POLL_EVERY_MS = 20;

export interface PoolerOptions {
  /** A folder that the server's account can enter. */
  readonly folder: string;
  readonly address: string;
  /** Port of the pooler, and of the server behind it. */
  readonly port: number;
  readonly superuser: { readonly name: string; readonly password: string };
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Starts pgbouncer as Neon runs it: transaction mode, TLS to both sides, passwords looked up in the database. */
export async function startPooler(options: PoolerOptions): Promise<ChildProcess> {
  const program = findTool('pgbouncer');
  const account = serverAccount();
  const file = (name: string) => join(options.folder, name);
  const { name, password } = options.superuser;
  writeFileSync(file('users.txt'), `"${name}" "${password}"\n`, { mode: 0o600 });
  writeFileSync(file('pgbouncer.ini'), settings(options, file('users.txt')), { mode: 0o600 });
  for (const made of ['users.txt', 'pgbouncer.ini']) giveTo(file(made), account);
  const log = openSync(file('pgbouncer.log'), 'a');
  const child = spawn(program, [file('pgbouncer.ini')], {
    cwd: '/',
    stdio: ['ignore', log, log],
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
  });
  closeSync(log);
  child.unref();
  const deadlineMs = performance.now() + START_WITHIN_MS;
  while (!(await isListening(options.address, options.port))) {
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      throw new Error(`pgbouncer did not start: ${readFileSync(file('pgbouncer.log'), 'utf8')}`);
    }
    await sleep(POLL_EVERY_MS);
  }
  return child;
}

function settings(options: PoolerOptions, usersFile: string): string {
  const { address, port, superuser, authority, certificate, key } = options;
  return `[databases]
* = host=127.0.0.1 port=${port}
[pgbouncer]
listen_addr = ${address}
listen_port = ${port}
unix_socket_dir =
pool_mode = transaction
default_pool_size = 16
max_client_conn = 1000
server_login_retry = 1
auth_type = scram-sha-256
auth_file = ${usersFile}
auth_user = ${superuser.name}
auth_query = select rolname, rolpassword from pg_catalog.pg_authid where rolname = $1
client_tls_sslmode = require
client_tls_cert_file = ${certificate}
client_tls_key_file = ${key}
server_tls_sslmode = verify-full
server_tls_ca_file = ${authority}
`;
}

function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
