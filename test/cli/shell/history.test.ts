import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { editorOf } from '../../../src/cli/shell/editor/text.js';
import { History } from '../../../src/cli/shell/history.js';
import { HistoryBrowser } from '../../../src/cli/shell/history-browser.js';
import { HistorySearch } from '../../../src/cli/shell/history-search.js';
import { makeTempFolder } from '../../helpers.js';

const test = suite('history of the shell');

async function historyOf(...statements: string[]): Promise<History> {
  const history = await History.open(join(makeTempFolder(), 'query_history'));
  for (const statement of statements) await history.add(statement);
  return history;
}

test('history keeps whole statements across sessions, for the user alone', async () => {
  const path = join(makeTempFolder(), 'data', 'query_history');
  const first = await History.open(path);
  await first.add('select 1\n  + 1;');
  await first.add('select 2;');
  await first.add('select 2;');
  const second = await History.open(path);
  assert.equal([second.length, second.at(0), second.at(1)], [2, 'select 2;', 'select 1\n  + 1;']);
  assert.is(statSync(path).mode & 0o777, 0o600);
});

test('a long history is cut back to its newest, and damaged lines are passed over', async () => {
  const path = join(makeTempFolder(), 'query_history');
  const lines = Array.from({ length: 2_500 }, (_, index) => JSON.stringify(`select ${index};`));
  writeFileSync(path, `{"broken\n${lines.join('\n')}\n`);
  const history = await History.open(path);
  assert.is(history.length, 1_000);
  assert.is(history.at(0), 'select 2499;');
  assert.is(readFileSync(path, 'utf8').trim().split('\n').length, 1_000);
});

test('a search goes back from the newest, over repeats, and forward again', async () => {
  const history = await historyOf('select a from x;', 'select b;', 'from x;', 'select B;', 'from x;');
  const search = new HistorySearch(history);
  search.type('x');
  assert.equal([search.match?.statement, search.match?.at], ['from x;', 5]);
  search.step('older');
  assert.is(search.match?.statement, 'select a from x;');
  search.step('older');
  assert.equal([search.match?.statement, search.failed], ['select a from x;', true]);
  search.step('newer');
  assert.equal([search.match?.statement, search.failed], ['from x;', false]);
});

test('a search narrows as it is typed, and capitals count once there are some', async () => {
  const search = new HistorySearch(await historyOf('select B;', 'select b;', 'from x;'));
  search.type('s');
  search.type('elect b');
  assert.is(search.match?.statement, 'select b;');
  search.erase();
  search.type('B');
  assert.equal([search.query, search.match?.statement], ['select B', 'select B;']);
  search.type('?');
  assert.equal([search.match?.statement, search.failed], ['select B;', true]);
});

test('stepping past the newest comes back to what was being typed', async () => {
  const browser = new HistoryBrowser(await historyOf('one;', 'two;'));
  assert.is(browser.step('older', editorOf('draft'))?.text, 'two;');
  assert.is(browser.step('older', editorOf('two;'))?.text, 'one;');
  assert.is(browser.step('older', editorOf('one;')), undefined);
  assert.is(browser.step('newer', editorOf('one;'))?.text, 'two;');
  assert.is(browser.step('newer', editorOf('two;'))?.text, 'draft');
  assert.is(browser.step('newer', editorOf('draft')), undefined);
});

test.run();
