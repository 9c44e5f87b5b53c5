import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { renderError } from '../../src/cli/render/error.js';
import { plain } from '../../src/cli/render/style.js';
import { openLakeEngine } from '../../src/lake/engine/engine.js';
import { makeTempFolder } from '../helpers.js';

const test = suite('place of a mistake');

/** What a person reads between the message and the hint. */
async function drawn(sql: string): Promise<string[]> {
  const engine = await openLakeEngine({ dataDir: makeTempFolder() });
  try {
    await engine.run(sql);
  } catch (error) {
    assert.instance(error, HxError);
    return renderError(error as HxError, plain, false)
      .split('\n')
      .slice(1, -2);
  } finally {
    engine.close();
  }
  throw new Error(`${sql} is no mistake`);
}

test('a mistake of grammar and one of names have a caret below them', async () => {
  assert.equal(await drawn('select 1,\n2 frm x y'), ['    2 frm x y', '          ^']);
  assert.equal(await drawn('select 1,\n  nope from checks'), ['      nope from checks', '      ^']);
  assert.equal(await drawn('selec 1'), ['    selec 1', '    ^']);
});

test('wide characters before the place do not shift the caret', async () => {
  assert.equal(await drawn("select '日本 👩‍🚀' as x, selec 1 y"), [
    "    select '日本 👩‍🚀' as x, selec 1 y",
    `${' '.repeat(4 + "select '".length + 4 + 1 + 2 + "' as x, selec ".length)}^`,
  ]);
});

test('of a long line the part around the place is shown', async () => {
  const [line = '', caret = ''] = await drawn(`select ${'1, '.repeat(200)} frm x y ${', 1'.repeat(200)}`);
  assert.ok(line.length < 120, line);
  assert.match(line, /^ {4}\.\.\..*frm x y.*\.\.\.$/);
  assert.is(line[caret.length - 1], 'y');
});

test.run();
