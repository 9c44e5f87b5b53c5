import type { Sql } from 'postgres';
import { isPooled, serverAddress, type Target } from './session.js';

/** The major that the Neon branches run, and docker/compose.yaml: the local database is to mirror them. */
export const EXPECTED_MAJOR = 17;

/** How hx is connected to a database. */
export interface Link {
  readonly host: string;
  readonly port: number;
  /** Whether a pooler is in between. */
  readonly pooled: boolean;
  /** TLS with a verified certificate and host name, or plain text, which only this machine's own servers may have. */
  readonly tls: 'verified' | 'none';
  /** As the server names it: `17.10`. */
  readonly serverVersion: string;
}

/** @param sql connections of which one was made at least. */
export function describeLink(target: Target, sql: Sql): Link {
  const { host, port, tls } = serverAddress(target);
  const serverVersion = String(sql.parameters['server_version'] ?? 'of an unknown version');
  return { host, port, pooled: isPooled(host), tls: tls === false ? 'none' : 'verified', serverVersion };
}

/** What to say of a server of another major version; undefined for one of the expected. */
export function warningOf({ serverVersion }: Link): string | undefined {
  if (Number.parseInt(serverVersion, 10) === EXPECTED_MAJOR) return undefined;
  return `the server is Postgres ${serverVersion}, but hx is made for and tested with ${EXPECTED_MAJOR}`;
}
