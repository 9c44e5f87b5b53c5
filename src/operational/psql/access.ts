import type { Environment } from '../../base/environments.js';
import { type OpenOptions, withDirectSession } from '../connect.js';
import { checkIdentity, readIdentity } from '../identity.js';
import { driverOptions, parseDatabaseUrl, serverAddress, type Target } from '../session.js';
import { directTarget, type EnvironmentTarget, findTarget } from '../target.js';

/** Everything that a program needs to open a session of its own with an environment's database. */
export interface Access {
  readonly environment: Environment;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** TLS that verifies certificate and host name, by these authorities or those of Node; false for none. */
  readonly tls: false | { readonly ca?: string };
  /** Settings of the session, as libpq writes them: `-c name=value`. */
  readonly options: string;
  readonly readOnly: boolean;
  readonly serverVersion: string;
}

/**
 * Makes sure that the environment's database answers and is its own, and says how to get there.
 * @throws HxError `refused` when the database is another environment's, and what connecting throws.
 */
export function findAccess(open: OpenOptions, readOnly: boolean): Promise<Access> {
  return withDirectSession(open, { applicationName: 'hx db psql' }, async (sql, { environment }) => {
    const identity = await readIdentity(sql);
    // A session may look at a database in any state, but for another environment's.
    if (typeof identity === 'object' && identity.environment !== environment) {
      checkIdentity(identity, environment);
    }
    const target = sessionTarget(open, readOnly);
    const { host, port, tls } = serverAddress(target);
    const { user, password, database } = credentials(target);
    return {
      ...{ environment, host, port, user, password, database, tls, readOnly },
      options: parseDatabaseUrl(target).searchParams.get('options') ?? '',
      serverVersion: String(sql.parameters['server_version'] ?? ''),
    };
  });
}

/**
 * The direct endpoint of the environment's database, whose sessions either only read, or declare their environment
 * so that the guards let them write.
 */
export function sessionTarget(
  { settings }: Pick<OpenOptions, 'settings'>,
  readOnly: boolean,
): EnvironmentTarget {
  const target = directTarget(findTarget(settings));
  const url = parseDatabaseUrl(target);
  const own = readOnly ? '-c default_transaction_read_only=on' : `-c hx.env=${target.environment}`;
  url.searchParams.set('options', [url.searchParams.get('options') ?? '', own].join(' ').trim());
  return { ...target, url: url.toString() };
}

function credentials(target: Target): { user: string; password: string; database: string } {
  const { username, password, database } = driverOptions(target, { max: 1, applicationName: '' });
  return { user: String(username), password: String(password ?? ''), database: String(database) };
}
