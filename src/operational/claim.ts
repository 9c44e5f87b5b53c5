import { connectDirectly } from './connect.js';
import type { OpenOptions } from './connection.js';
import { claimDatabase } from './identity.js';
import { findTarget } from './target.js';
import { translateDatabaseError } from './translate.js';

/**
 * Claims the database that the chosen environment's connection string leads to.
 * @param renew whether an identity that was removed may be made anew.
 * @returns whether anything changed.
 * @throws HxError as claimDatabase and connect.
 */
export async function claimEnvironment(
  { settings, signal, emit }: OpenOptions,
  renew: boolean,
): Promise<boolean> {
  const target = findTarget(settings);
  const sql = await connectDirectly(target, { max: 1, applicationName: 'hx db claim' }, signal, emit);
  try {
    return await claimDatabase(sql, target.environment, renew);
  } catch (error) {
    throw translateDatabaseError(error, target.errors);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
