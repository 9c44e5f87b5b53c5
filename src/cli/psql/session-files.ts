import { readFileSync, statSync } from 'node:fs';
import * as tls from 'node:tls';
import type { Access } from '../../handlers/db-psql.js';

/**
 * The files that psql needs, by the variable that names each: the password, the start commands and, for TLS, the
 * authorities to trust.
 * @param ownStart the user's own start file, which may be missing.
 * @param extraAuthorities the file of NODE_EXTRA_CA_CERTS, where it is set.
 */
export function sessionFiles(
  access: Access,
  ownStart: string,
  extraAuthorities: string | undefined,
): Record<string, string> {
  const files: Record<string, string> = {
    // A colon or a backslash stands for itself behind a backslash there.
    PGPASSFILE: `*:*:*:*:${access.password.replace(/[\\:]/g, '\\$&')}\n`,
    PSQLRC: startCommands(access, ownStart),
  };
  if (access.tls !== false) {
    // libpq trusts a file; older versions do not know the system's authorities, so it gets those of Node.
    files['PGSSLROOTCERT'] = access.tls.ca ?? trustedByNode(extraAuthorities);
  }
  return files;
}

/** The authorities that our own connections trust when the connection string names none. */
function trustedByNode(extraAuthorities: string | undefined): string {
  // Newer versions of Node tell; there, its options and the system's store may count too.
  if ('getCACertificates' in tls && typeof tls.getCACertificates === 'function') {
    const found: unknown = tls.getCACertificates('default');
    if (Array.isArray(found)) return found.join('\n');
  }
  return [...tls.rootCertificates, readExtra(extraAuthorities)].join('\n');
}

/** What cannot be read is left out: Node did the same when it started, and warned. */
function readExtra(file: string | undefined): string {
  if (file === undefined || file === '') return '';
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** The user's own start file, then a prompt that says which environment this is. */
function startCommands({ environment, readOnly }: Access, ownStart: string): string {
  const included = statSync(ownStart, { throwIfNoEntry: false })?.isFile() === true;
  const colour = environment === 'production' ? '%[%033[1;31m%]' : '%[%033[1m%]';
  const name = `${colour}${environment}${readOnly ? ' (read-only)' : ''}%[%033[0m%]`;
  return [
    ...(included ? [`\\i '${ownStart.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`] : []),
    `\\set PROMPT1 '${name}%R%x%# '`,
    `\\set PROMPT2 '${name}%R%x%# '`,
    '',
  ].join('\n');
}
