import { type OpenOptions, withDirectSession } from './connect.js';
import { claimDatabase } from './identity.js';

/**
 * Claims the database that the chosen environment's connection string leads to.
 * @param renew whether an identity that was removed may be made anew.
 * @returns whether anything changed.
 * @throws HxError as claimDatabase and connect.
 */
export function claimEnvironment(options: OpenOptions, renew: boolean): Promise<boolean> {
  return withDirectSession(options, { applicationName: 'hx db claim' }, (sql, { environment }) =>
    claimDatabase(sql, environment, renew),
  );
}
