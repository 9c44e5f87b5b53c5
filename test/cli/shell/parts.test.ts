import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { displayWidth } from '../../../src/cli/render/width.js';
import { commonStart, completionFor } from '../../../src/cli/shell/completion.js';
import {
  deleteTo,
  type Editor,
  editorOf,
  insert,
  MOVES,
  type Move,
  moveLine,
  moveTo,
} from '../../../src/cli/shell/editor.js';
import { History } from '../../../src/cli/shell/history.js';
import { isComplete } from '../../../src/cli/shell/interpreter.js';
import { type Key, KeyDecoder } from '../../../src/cli/shell/keys.js';
import { layoutEditor } from '../../../src/cli/shell/layout.js';
import { makeTempFolder } from '../../helpers.js';

const test = suite('parts of the shell');

test('the cursor steps over what the user sees as one character', () => {
  const family = '👩‍👩‍👧';
  const editor = editorOf(`a${family}é`);
  assert.is(moveTo(moveTo(editor, 'left'), 'left').cursor, 1);
  assert.is(deleteTo(moveTo(editor, 'left'), 'left').text, 'aé');
});

test('words, ends and lines', () => {
  const text = 'select one_two\nfrom checks';
  assert.is(moveTo(editorOf(text), 'wordLeft').cursor, text.indexOf('checks'));
  assert.is(deleteTo({ text, cursor: 14 }, 'wordLeft').text, 'select \nfrom checks');
  assert.is(moveTo({ text, cursor: 3 }, 'wordRight').cursor, 6);
  assert.is(moveTo({ text, cursor: 20 }, 'lineStart').cursor, 15);
  assert.is(deleteTo({ text, cursor: 6 }, 'lineEnd').text, 'select\nfrom checks');
  assert.is(moveLine({ text, cursor: 18 }, 'up')?.cursor, 3);
  assert.is(moveLine({ text, cursor: 14 }, 'down')?.cursor, text.length);
  assert.is(moveLine({ text, cursor: 3 }, 'up'), undefined);
});

test('no sequence of keys leaves the text or breaks a character apart', () => {
  const moves = Object.keys(MOVES) as Move[];
  const step = fc.oneof(
    fc
      .constantFrom('a', ' ', '\n', '日', '👩‍👩‍👧', '_')
      .map((added) => (editor: Editor) => insert(editor, added)),
    fc.constantFrom(...moves).map((move) => (editor: Editor) => moveTo(editor, move)),
    fc.constantFrom(...moves).map((move) => (editor: Editor) => deleteTo(editor, move)),
    fc.constantFrom('up', 'down').map((way) => (editor: Editor) => moveLine(editor, way as 'up') ?? editor),
  );
  const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const { text, cursor } = steps.reduce((editor, apply) => apply(editor), editorOf(''));
    assert.ok(cursor >= 0 && cursor <= text.length);
    assert.ok(text.isWellFormed());
    const { rows, x, y } = layoutEditor({ text, cursor }, 20, 5);
    assert.ok(rows.length <= 5 && y >= 0 && y < rows.length && x <= 20);
    for (const row of rows) assert.ok(displayWidth(row.prompt + row.text) < 20);
  });
  fc.assert(property, { numRuns: 300 });
});

test('keys arrive whole, whatever pieces they come in', () => {
  const typed = '\u001b[Aa\u001b[1;5C\u001b[200~x\ny\u001b[201~\u007f\r';
  const expected: Key[] = [
    { type: 'up' },
    { type: 'text', text: 'a' },
    { type: 'wordRight' },
    { type: 'paste', text: 'x\ny' },
    { type: 'backspace' },
    { type: 'enter' },
  ];
  for (let cut = 0; cut <= typed.length; cut += 1) {
    const decoder = new KeyDecoder();
    assert.equal(
      [...decoder.push(typed.slice(0, cut)), ...decoder.push(typed.slice(cut))],
      expected,
      `${cut}`,
    );
  }
});

test('what is pasted cannot hold escape sequences, and unknown keys do nothing', () => {
  const decoder = new KeyDecoder();
  assert.equal(decoder.push('\u001b[200~a\u001b[31m\tb\r\nc\u001b[201~'), [
    { type: 'paste', text: 'a[31m    b\nc' },
  ]);
  assert.equal(decoder.push('\u001b[15~\u001b[99;99Rq'), [{ type: 'text', text: 'q' }]);
});

test('tells what can run from what goes on', () => {
  for (const text of ['', '.help', '@drift', 'select 1;', "select ';';", 'select 1; -- done', 'exit']) {
    assert.ok(isComplete(text), text);
  }
  for (const text of ['select 1', "select 'a;", '/* a;', '-- comment', 'select 1; select 2']) {
    assert.not.ok(isComplete(text), text);
  }
});

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

test('completes commands, ready queries, columns after a dot, and keywords in the case typed', async () => {
  const session = {
    complete: async () => ['SELECT', 'SET'],
    tables: async () => [{ name: 'checks', columns: [{ name: 'claim', type: 'VARCHAR' }] }],
    readyQueries: () => [{ name: 'drift', question: 'q', parameters: [], sql: '' }],
  };
  const candidates = async (text: string) => (await completionFor(session, text)).candidates;
  assert.equal(await candidates('.sch'), ['.schema']);
  assert.equal(await candidates('@d'), ['@drift']);
  assert.equal(await candidates('.schema ch'), ['checks']);
  assert.equal(await candidates('from checks c where c.cl'), ['claim']);
  assert.equal(await candidates('sel'), ['select']);
  assert.equal(await candidates('S'), ['SELECT', 'SET']);
  assert.is(commonStart(['SELECT', 'SET']), 'SE');
});

test.run();
