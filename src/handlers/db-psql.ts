import * as t from 'typanion';
import { HxError } from '../base/errors.js';
import type { Access } from '../operational/psql/access.js';
import type { SqlSession } from '../operational/psql/session.js';
import type { Context } from './context.js';
import { defineHandler } from './handler.js';

export type { Access } from '../operational/psql/access.js';
export type { Answer, SqlSession } from '../operational/psql/session.js';

const input = t.isObject({
  readOnly: t.isOptional(t.isBoolean()),
  write: t.isOptional(t.isBoolean()),
  /** That writing to production is meant. */
  yes: t.isOptional(t.isBoolean()),
});
type Input = t.InferType<typeof input>;

/** How to open a session with the environment's database. The result holds the password. */
export const dbAccess = defineHandler({
  name: 'db psql',
  input,
  async run(asked, context): Promise<Access> {
    const readOnly = decideReadOnly(asked, context);
    const { findAccess } = await import('../operational/psql/access.js');
    return findAccess(context, readOnly);
  },
});

/** Opens such a session; whoever asks closes it. What the server notes is emitted. */
export const dbSession = defineHandler({
  name: 'db psql',
  input,
  async run(asked, context): Promise<SqlSession> {
    const readOnly = decideReadOnly(asked, context);
    const { openSqlSession } = await import('../operational/psql/session.js');
    return openSqlSession(context, readOnly, (message) => context.emit({ type: 'note', message }));
  },
});

/** Sessions write unless told otherwise; those of production read unless told otherwise, twice. */
function decideReadOnly({ readOnly, write, yes }: Input, { settings }: Context): boolean {
  if (readOnly === true && write === true) {
    throw new HxError('usage', '--read-only and --write exclude each other.', {
      hint: 'Leave one of them out.',
    });
  }
  if (settings.environment !== 'production') return readOnly === true;
  if (write === true && yes !== true) {
    throw new HxError('usage', 'The session would write to production.', {
      hint: 'hx db psql --env production --write --yes, or leave --write out to read.',
    });
  }
  return write !== true;
}
