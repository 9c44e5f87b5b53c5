// Neon without Neon: an embedded Postgres with TLS and the settings of a branch, and a real pooler in front of it.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serverAccount } from '../../src/operational/server/account.js';
import { giveTo } from '../../src/operational/server/copies.js';
import { stopProcess } from '../../src/operational/server/process.js';
import { connectTo, removeTestServer, startTestServer } from '../database.js';
import { makeAuthority, makeCertificate } from './certificates.js';
import { directHost, POOLED_ADDRESS, pooledHost, WILDCARD } from './names.js';
import { startPooler } from './pooler.js';
import { runTool } from './tools.js';

/** Owns the databases and may make roles, but is no superuser: what Neon gives its customers. */
export const OWNER = 'neondb_owner';

const ENDPOINT = 'ep-test-1234';

export interface NeonBench {
  /** Branch as `neon.branch_id` shows it. */
  readonly branch: string;
  /** Connection string of a database at the direct endpoint, as its owner. */
  direct(database: string): string;
  /** The same through the pooler. */
  pooled(database: string): string;
  /** A superuser's connection string, direct and without hx's wrapper: for looking on and for breaking things. */
  admin(database: string): string;
  /** Path of the authority's certificate, which the connection strings above name. */
  readonly ca: string;
  readonly port: number;
  /** Makes an empty database that belongs to the owner. */
  create(database: string): Promise<void>;
  drop(database: string): Promise<void>;
  /** Stops everything now; the end of the process would do it too. */
  stop(): Promise<void>;
}

const benches = new Map<string, Promise<NeonBench>>();

/** The bench of one branch, started when a test of this process first needs it. */
export function startNeonBench(branch = 'br-test-1234'): Promise<NeonBench> {
  const started = benches.get(branch) ?? start(branch);
  benches.set(branch, started);
  return started;
}

async function start(branch: string): Promise<NeonBench> {
  const folder = mkdtempSync(join(tmpdir(), 'hx-test-neon-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  // As root, the server and the pooler run under another account, which has to get in.
  chmodSync(folder, 0o755);
  const authority = await makeAuthority(folder);
  const tls = await makeCertificate(authority, folder, [`DNS:${WILDCARD}`, 'IP:127.0.0.1']);
  giveTo(tls.key, serverAccount());
  const accessFile = join(folder, 'pg_hba.conf');
  // hx starts the server, and looks whether it answers, as it does its own: without TLS.
  writeFileSync(accessFile, 'host all all all scram-sha-256\n');
  const data = join(folder, 'data');
  mkdirSync(data);
  const server = await startTestServer(data, [
    'ssl=on',
    `ssl_cert_file=${tls.certificate}`,
    `ssl_key_file=${tls.key}`,
    `hba_file=${accessFile}`,
    `shared_preload_libraries=${await buildBranchLibrary(folder)}`,
    'neon.project_id=project-test',
    `neon.branch_id=${branch}`,
  ]);
  const { port, username, password } = new URL(server.url ?? '');
  const admin = (database: string) =>
    `postgres://${username}:${password}@127.0.0.1:${port}/${database}?sslmode=require`;
  const asAdmin = async (...statements: string[]) => {
    const sql = connectTo(admin('postgres'));
    for (const statement of statements) await sql.unsafe(statement);
    await sql.end();
  };
  writeFileSync(accessFile, 'hostssl all all all scram-sha-256\n');
  await asAdmin(
    'select pg_reload_conf()',
    `create role ${OWNER} login createdb createrole password '${password}'`,
  );
  const pooler = await startPooler({
    folder,
    address: POOLED_ADDRESS,
    port: Number(port),
    superuser: { name: username, password },
    authority: authority.certificate,
    ...tls,
  });
  process.on('exit', () => pooler.kill('SIGKILL'));
  const url = (host: string, database: string) =>
    `postgres://${OWNER}:${password}@${host}:${port}/${database}?sslmode=verify-full&sslrootcert=${authority.certificate}`;
  return {
    branch,
    ca: authority.certificate,
    port: Number(port),
    direct: (database) => url(directHost(ENDPOINT), database),
    pooled: (database) => url(pooledHost(ENDPOINT), database),
    admin,
    create: (database) => asAdmin(`create database ${database} owner ${OWNER} template template0`),
    drop: (database) => asAdmin(`drop database if exists ${database} with (force)`),
    async stop() {
      benches.delete(branch);
      if (pooler.pid !== undefined) await stopProcess(pooler.pid, 'SIGQUIT', 5_000);
      await removeTestServer(data);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Compiles the settings of a Neon branch for this machine's server. */
async function buildBranchLibrary(folder: string): Promise<string> {
  const library = join(folder, 'branch.so');
  const source = fileURLToPath(new URL('branch.c', import.meta.url));
  const kind = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];
  await runTool('cc', [...kind, '-fPIC', '-o', library, source], 'gcc');
  return library;
}
