import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTestDatabase, type TestDatabase } from '../../helpers.js';
import { HX_QUERY, Pty } from '../shell/pty.js';

const test = suite('db psql in a terminal');
let local: TestDatabase;

test.before(async () => {
  local = await createTestDatabase();
});
test.after(() => local.drop());

/** The same program, as `hx db psql --plain`. */
const HX_DB_PSQL = `process.argv.splice(2, 1, 'db', 'psql', '--plain');\n${HX_QUERY}`;

async function atPrompt(work: (pty: Pty) => Promise<void>): Promise<void> {
  const pty = new Pty({ program: HX_DB_PSQL, variables: local.variables });
  try {
    await pty.sees(/^local=> ?$/m);
    await work(pty);
  } finally {
    pty.close();
  }
}

test('the prompt shows an open transaction, a failed one, and that it is over', async () => {
  await atPrompt(async (pty) => {
    pty.line('begin;');
    await pty.sees(/^BEGIN\nlocal=\*>$/m);
    pty.line('select 1');
    await pty.sees(/^local-\*>$/m);
    pty.line('as one;');
    await pty.sees(/1 row\nlocal=\*>$/);
    pty.line('select 1 / 0;');
    await pty.sees(/division by zero\nlocal=!>$/);
    pty.line('select 2;');
    await pty.sees(/current transaction is aborted.*\nlocal=!>$/);
    pty.line('rollback;');
    await pty.sees(/^ROLLBACK\nlocal=>$/m);
    // A statement that Ctrl-C stops fails its transaction.
    pty.line('begin; select pg_sleep(60);');
    await pty.sees(/^BEGIN$(?![\s\S]*=)/m);
    pty.key('C-c');
    await pty.sees(/cancelled\.\nlocal=!>$/);
    pty.line('commit;');
    await pty.sees(/^ROLLBACK\nlocal=>$/m);
    pty.line('exit');
    await pty.sees(/left 0/);
  });
});

test('what was typed for a transaction that was lost with its connection is not run outside of it', async () => {
  await atPrompt(async (pty) => {
    await local.sql`create table kept (number integer)`;
    await local.sql`insert into kept values (1)`;
    pty.line('begin; update kept set number = 2;');
    await pty.sees(/UPDATE 1\nlocal=\*>$/);
    await local.sql`
      select pg_terminate_backend(pid, 5000) from pg_stat_activity
      where datname = current_database() and application_name = 'hx db psql' and pid <> pg_backend_pid()`;
    pty.line('delete from kept;');
    await pty.sees(
      /The connection to the local database was lost, and its transaction with it\.\n.*begin again/,
    );
    await pty.sees(/^local=>$/m);
    assert.equal([...(await local.sql`select number from kept`)], [{ number: 1 }]);
    pty.line('select number from kept;');
    await pty.sees(/1 row\nlocal=>$/);
  });
});

test.run();
