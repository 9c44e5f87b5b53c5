import * as t from 'typanion';
import { defineHandler } from './handler.js';

/** Whether checks can be taken: the environment's database answers, is migrated, and is that environment's. */
export const ready = defineHandler({
  name: 'ready',
  input: t.isObject({}),
  async run(_input, context): Promise<{ status: 'ok'; environment: string }> {
    const database = await context.lanes.database();
    await database.read((sql) => sql`select 1`);
    return { status: 'ok', environment: database.environment };
  },
});
