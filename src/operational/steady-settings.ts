import type { TransactionSql } from 'postgres';

/**
 * What rows that leave a database must not depend on, whatever the server, the database or the login is set to: instants
 * are of UTC, doubles have all their digits, a policy that hides rows is an error, and it takes as long as it takes.
 */
const STEADY: Readonly<Record<string, string>> = {
  search_path: 'public, pg_temp',
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  extra_float_digits: '1',
  row_security: 'off',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  transaction_timeout: '0',
};

/** Sets these and `more` until the transaction ends. PostgreSQL before 17 has no transaction_timeout. */
export async function holdSteady(
  sql: TransactionSql,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const settings = JSON.stringify({ ...STEADY, ...more });
  await sql`select set_config(key, value, true) from jsonb_each_text(${settings}::text::jsonb)
    where key <> 'transaction_timeout' or current_setting(key, true) is not null`;
}
