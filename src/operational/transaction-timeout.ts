import type { TransactionSql } from 'postgres';

/** Lets a transaction take as long as it does. PostgreSQL before 17 knows no such limit, nor the name of it. */
export async function liftTransactionTimeout(sql: TransactionSql): Promise<void> {
  await sql`select set_config(name, '0', true) from pg_settings where name = 'transaction_timeout'`;
}
