import type { Database } from '../operational/connection.js';
import type { SchemaFinding } from '../operational/schema/verify/findings.js';
import type { Context } from './context.js';
import { attempt, type Finding, failed, ok } from './finding.js';

/** Whether the environment's database answers and can be used. */
export function database({ settings, lanes }: Context): Promise<Finding> {
  return attempt(`Database (${settings.environment})`, 'missing', async () => {
    const opened = await lanes.database();
    return `Postgres ${opened.link.serverVersion} answers; it is the ${opened.environment} one`;
  });
}

/** How the database is reached; nothing where it is not, of which the finding about the database tells. */
export async function connection({ settings, lanes, clock }: Context): Promise<Finding[]> {
  const opened = await lanes.database().catch(() => undefined);
  if (opened === undefined) return [];
  const { warningOf } = await import('../operational/link.js');
  const { link } = opened;
  const name = `Connection (${settings.environment})`;
  const ask = () => opened.read((sql) => sql`select`);
  try {
    // The first call may still have to open a connection.
    await ask();
    const startedMs = clock.monotonicMs();
    await ask();
    const roundTripMs = clock.monotonicMs() - startedMs;
    const how = [
      `${link.host}:${link.port}`,
      link.pooled ? 'pooled endpoint' : 'direct endpoint',
      link.tls === 'verified' ? 'TLS with verified certificate and host' : 'no TLS',
      `round trip ${roundTripMs.toFixed(1)} ms`,
    ].join(', ');
    const warning = warningOf(link);
    if (warning === undefined) return [ok(name, how)];
    const fix = 'Use the same major as Neon everywhere: what works on one may not on the other.';
    return [{ name, state: 'missing', detail: `${how}; ${warning}`, fix }];
  } catch (thrown) {
    return [failed(name, 'missing', thrown)];
  }
}

/** Whether its migrations are those of this hx, which hx migrate insists on; nothing where it is not usable. */
export function migrations(context: Context): Promise<Finding[]> {
  return inspected('Migrations', 'missing', context, async ({ sql, environment }) => {
    const { inspectApplied } = await import('../operational/schema/verify/guards.js');
    const { applied, findings } = await inspectApplied(sql, environment);
    return { fine: `${applied} applied, none pending, each as its file says`, findings };
  });
}

/** Whether what keeps environments apart is in place; nothing where the database is not usable. */
export function guards(context: Context): Promise<Finding[]> {
  return inspected('Guards and roles', 'broken', context, async ({ sql, environment }) => {
    const { inspectGuards } = await import('../operational/schema/verify/guards.js');
    const findings = await inspectGuards(sql, environment);
    return { fine: 'roles, owners and guards are as the last migration left them', findings };
  });
}

/**
 * What an inspection of the database found: that all is fine, or each problem, and the notes beside.
 * @param problem the state of a problem; that of a note is `missing`.
 */
async function inspected(
  title: string,
  problem: 'missing' | 'broken',
  { settings, lanes }: Context,
  inspect: (database: Database) => Promise<{ fine: string; findings: readonly SchemaFinding[] }>,
): Promise<Finding[]> {
  const opened = await lanes.database().catch(() => undefined);
  if (opened === undefined) return [];
  const name = `${title} (${settings.environment})`;
  try {
    const { fine, findings } = await inspect(opened);
    const named = findings.map(({ severity, object, what, fix }): Finding => {
      const state = severity === 'note' ? 'missing' : problem;
      return { name, state, detail: object === null ? what : `${object}: ${what}`, fix };
    });
    const isFine = findings.every(({ severity }) => severity === 'note');
    return isFine ? [ok(name, fine), ...named] : named;
  } catch (thrown) {
    return [failed(name, 'missing', thrown)];
  }
}
