import { join } from 'node:path';
import { runTool } from './tools.js';

/** Paths of one certificate authority's files. */
export interface Authority {
  readonly certificate: string;
  readonly key: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export async function makeAuthority(folder: string, name = 'ca'): Promise<Authority> {
  const authority = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  await runTool('openssl', [
    ...['req', '-x509', ...KEY, '-days', '2', '-subj', `/CN=hx test authority ${name}`],
    ...['-keyout', authority.key, '-out', authority.certificate],
  ]);
  return authority;
}

/** A server's certificate for these names (`DNS:...`, `IP:...`), signed by the authority. */
export async function makeCertificate(
  authority: Authority,
  folder: string,
  names: readonly string[],
): Promise<{ readonly certificate: string; readonly key: string }> {
  const made = { certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') };
  await runTool('openssl', [
    ...['req', '-x509', ...KEY, '-days', '2', '-subj', '/CN=hx test server'],
    ...['-CA', authority.certificate, '-CAkey', authority.key],
    ...['-addext', `subjectAltName=${names.join(',')}`, '-addext', 'basicConstraints=critical,CA:FALSE'],
    ...['-keyout', made.key, '-out', made.certificate],
  ]);
  return made;
}
