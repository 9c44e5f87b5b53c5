import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTestDatabase, runHx } from '../helpers.js';
import { HX_QUERY, Pty } from './shell/pty.js';

const test = suite('questions on a terminal');

/** Runs a command line on a terminal of its own, until the work with it is done. */
async function onTerminal(
  argv: readonly string[],
  variables: Readonly<Record<string, string>>,
  work: (pty: Pty) => Promise<void>,
): Promise<void> {
  const words = argv.map((word) => JSON.stringify(word)).join(', ');
  const pty = new Pty({ program: `process.argv.splice(2, 1, ${words});\n${HX_QUERY}`, variables });
  try {
    await work(pty);
  } finally {
    pty.close();
  }
}

test('Ctrl-C, Ctrl-D and an empty answer do nothing, and the terminal is as it was', async () => {
  for (const [key, ending] of [
    ['C-c', /\[y\/N\]\s+hx: Interrupted\.\nleft 130/],
    ['C-d', /\[y\/N\]\s+Nothing was removed\.\nleft 1\n/],
    ['Enter', /\[y\/N\]\s+Nothing was removed\.\nleft 1\n/],
  ] as const) {
    await onTerminal(['db', 'reset'], {}, async (pty) => {
      await pty.sees(/Remove the local Postgres and all data in it\? \[y\/N\]/);
      pty.key(key);
      await pty.sees(ending);
      assert.not.match(await pty.sees(/icanon[\s\S]*echo/), /-icanon|-echo\b/);
    });
  }
});

test('production is migrated once its name and the beginning of the plan were typed, and not otherwise', async () => {
  const empty = { empty: true } as const;
  const local = await createTestDatabase(empty);
  const development = await createTestDatabase({ ...empty, environment: 'development' });
  const production = await createTestDatabase({ ...empty, environment: 'production' });
  const { HX_ENV: _, ...variables } = {
    ...local.variables,
    ...development.variables,
    ...production.variables,
  };
  const tables = async () => {
    const [row] = await production.sql`select to_regclass('users') is not null as made`;
    return row?.['made'];
  };
  try {
    for (const environment of ['local', 'development']) {
      const { exitCode, stderr } = await runHx(['migrate', '--env', environment], { env: variables });
      assert.is(exitCode, 0, stderr);
    }
    const name = new URL(production.url).pathname.slice(1);
    const ask = (work: (pty: Pty, plan: string) => Promise<void>) =>
      onTerminal(['migrate', '--env', 'production'], variables, async (pty) => {
        const screen = await pty.sees(/Type the name of that database or branch \(\w+\):/);
        const [, plan = ''] = /Plan ([0-9a-f]{8}) applies 0001_identity\.sql, /.exec(screen) ?? [];
        await work(pty, plan);
      });
    await ask(async (pty) => {
      pty.line('other');
      await pty.sees(/Nothing was applied: that is not its name\.\nleft 1\n/);
    });
    for (const wrong of ['00000000', '']) {
      await ask(async (pty) => {
        pty.line(name);
        await pty.sees(/Type the first 8 characters of the plan:/);
        pty.line(wrong);
        assert.match(await pty.sees(/plan:.*\n/), new RegExp(`plan: ?${wrong}\\n`), 'it shows once');
        await pty.sees(/Nothing was applied: the hash of the plan does not begin with that\.\nleft 1\n/);
      });
    }
    await ask(async (pty, plan) => {
      pty.line(name);
      await pty.sees(/Type the first 8 characters of the plan:/);
      pty.type(plan);
      pty.key('C-c');
      await pty.sees(/hx: Interrupted\.\nleft 130/);
    });
    assert.is(await tables(), false);
    await ask(async (pty, plan) => {
      pty.line(name);
      await pty.sees(/Type the first 8 characters of the plan:/);
      pty.line(plan);
      await pty.sees(/0006_changes\.sql {2}\d+ ms\nleft 0\n/);
    });
    assert.is(await tables(), true);
  } finally {
    for (const database of [local, development, production]) await database.drop();
  }
});

test.run();
