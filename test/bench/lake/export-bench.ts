import { systemClock } from '../../../src/base/time.js';
import { Accounts, type Context, Lanes } from '../../../src/handlers/context.js';
import { createTestDatabase, makeTempFolder, makeTestSettings, type TestDatabase } from '../../helpers.js';

export interface ExportBench {
  readonly database: TestDatabase;
  readonly dataDir: string;
  readonly context: Context;
  close(): Promise<void>;
}

/** A migrated local database, and a context that exports it into a lake of its own. */
export async function openExportBench(dataDir = makeTempFolder()): Promise<ExportBench> {
  const database = await createTestDatabase({ environment: 'local' });
  const settings = makeTestSettings({ DATABASE_URL: database.url, dataDir });
  const { signal } = new AbortController();
  const emit = () => {};
  const lanes = new Lanes(settings, signal, emit);
  const context = { settings, clock: systemClock, signal, emit, lanes, accounts: new Accounts() };
  return {
    database,
    dataDir,
    context,
    async close() {
      await lanes.close();
      await database.drop();
    },
  };
}
