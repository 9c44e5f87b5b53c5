import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { plain } from '../../../src/cli/render/style.js';
import { displayWidth } from '../../../src/cli/render/width.js';
import { Highlighter } from '../../../src/cli/shell/editor/highlighter.js';
import { type Key, KeyDecoder } from '../../../src/cli/shell/editor/keys.js';
import { layoutEditor } from '../../../src/cli/shell/editor/layout.js';
import { LineEditor } from '../../../src/cli/shell/editor/line-editor.js';
import {
  deleteTo,
  type Editor,
  editorOf,
  insert,
  MOVES,
  type Move,
  moveLines,
  moveTo,
} from '../../../src/cli/shell/editor/text.js';
import { isComplete, partsOf } from '../../../src/cli/shell/entry.js';
import { rowsAboveCursor } from '../../../src/cli/shell/live/frame.js';

const test = suite('editor of the shell');

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
  assert.is(moveLines({ text, cursor: 18 }, -1)?.cursor, 3);
  assert.is(moveLines({ text, cursor: 14 }, 1)?.cursor, text.length);
  assert.is(moveLines({ text, cursor: 3 }, -1), undefined);
});

test('no sequence of keys leaves the text or breaks a character apart', () => {
  const moves = Object.keys(MOVES) as Move[];
  const step = fc.oneof(
    fc
      .constantFrom('a', ' ', '\n', '日', '👩‍👩‍👧', '_')
      .map((added) => (editor: Editor) => insert(editor, added)),
    fc.constantFrom(...moves).map((move) => (editor: Editor) => moveTo(editor, move)),
    fc.constantFrom(...moves).map((move) => (editor: Editor) => deleteTo(editor, move)),
    fc.constantFrom(-3, -1, 1, 2).map((lines) => (editor: Editor) => moveLines(editor, lines) ?? editor),
  );
  const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const { text, cursor } = steps.reduce((editor, apply) => apply(editor), editorOf(''));
    assert.ok(cursor >= 0 && cursor <= text.length);
    assert.ok(text.isWellFormed());
    const { rows, x, y } = layoutEditor({ text, cursor }, 20, 5);
    assert.ok(rows.length <= 5 && y >= 0 && y < rows.length && x <= 20);
    for (const { prompt, start, end } of rows) {
      const shown = new Highlighter(plain).slice(text, start, end);
      assert.ok(displayWidth(prompt + shown) < 20, shown);
    }
    const { start } = rows[y] ?? { start: 0 };
    assert.is(x, 4 + displayWidth(text.slice(start, cursor)));
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
  assert.equal(decoder.push('\u001b\u001b[A'), [{ type: 'escape' }, { type: 'up' }]);
  assert.equal(decoder.push('\u001b[15~\u001b[99;99Rq'), [{ type: 'text', text: 'q' }]);
});

test('a key is the same whichever way a terminal sends it', () => {
  const ways: Readonly<Record<string, readonly string[]>> = {
    ...{ up: ['[A', 'OA'], down: ['[B', 'OB'], right: ['[C', 'OC'], left: ['[D', 'OD'] },
    ...{ home: ['[H', 'OH', '[1~', '[7~'], end: ['[F', 'OF', '[4~', '[8~'], delete: ['[3~'] },
    ...{ pageUp: ['[5~'], pageDown: ['[6~'], backTab: ['[Z'], newline: ['\r'], redo: ['_'] },
    ...{ wordLeft: ['b', '[1;5D', '[1;3D'], wordRight: ['f', '[1;5C', '[1;3C'] },
    ...{ older: ['p', '[1;3A', '[1;5A'], newer: ['n', '[1;3B', '[1;5B'] },
    ...{ textStart: ['<', '[1;5H'], textEnd: ['>', '[1;5F'] },
    ...{ killWordRight: ['d', '[3;5~'], killWordLeft: ['\u007f', '\b'] },
  };
  for (const [type, sequences] of Object.entries(ways)) {
    for (const sequence of sequences) {
      assert.equal(new KeyDecoder().push(`\u001b${sequence}`), [{ type }], sequence);
    }
  }
});

test('tabs that indent the lines of a paste without brackets complete nothing', () => {
  const decoder = new KeyDecoder();
  assert.equal(decoder.push('select\r\t\t1,\n\t2'), [
    ...[{ type: 'text', text: 'select' }, { type: 'enter' }, { type: 'text', text: '        1,' }],
    ...[{ type: 'enter' }, { type: 'text', text: '    2' }],
  ]);
  assert.equal(decoder.push('sel\t'), [{ type: 'text', text: 'sel' }, { type: 'tab' }]);
  assert.equal([...decoder.push('\r'), ...decoder.push('\t')], [{ type: 'enter' }, { type: 'tab' }]);
});

test('tells what can run from what goes on', () => {
  const whole = ['', '.help', '@drift', 'select 1;', "select ';';", 'select 1; -- done', 'exit', '.a\n;\n'];
  for (const text of [...whole, 'select 1;\n.help', ".mode csv\n@a b='c\nselect 1;"]) {
    assert.ok(isComplete(text), text);
  }
  const unfinished = ['select 1', "select 'a;", '/* a;', '-- comment', 'select 1; select 2', ';'];
  for (const text of [...unfinished, '.help\nselect 1', '.help\n/* a', 'select 1\n.help', 'select exit']) {
    assert.not.ok(isComplete(text), text);
  }
});

test('tells SQL from the lines between that are none', () => {
  const text = `-- first
.mode csv
select 1
  .x, '
@no';; select 2; -- not @this
  @claim_history claim=it's
/* nor
.that */ .output 'a;b.csv'
select 3; exit ;
quitting`;
  assert.equal(partsOf(text), [
    { kind: 'dot', text: '.mode csv' },
    { kind: 'sql', text: "select 1\n  .x, '\n@no';; select 2; -- not @this" },
    { kind: 'ready', text: "@claim_history claim=it's" },
    { kind: 'dot', text: ".output 'a;b.csv'" },
    { kind: 'sql', text: 'select 3;' },
    { kind: 'exit', text: 'exit ;' },
    { kind: 'sql', text: 'quitting' },
  ]);
  assert.equal(partsOf('-- only\n ;; /* words */ ;'), []);
});

test('strings, names, comments and the lines of one statement are no commands', () => {
  const statements = [
    "select '\n.exit\n@a';",
    'select 1 as "\n.exit";',
    'select $x$ ;\n.exit\n$$ $x$;',
    "select e'it\\'s;\n.exit';",
    '/* ;\n.exit */ select 1;',
    "select 1 -- it's;\n, 2;",
    'select 1\n.exit\n;',
    'with exit as (select 1) from\nexit\n;',
  ];
  for (const text of statements) assert.equal(partsOf(text), [{ kind: 'sql', text }], text);
});

test('a file of thousands of commands is taken apart at once, and not each of them to the end of the file', () => {
  const startedMs = performance.now();
  assert.is(partsOf('.mode csv\nselect 1;\n'.repeat(3_000)).length, 6_000);
  assert.ok(performance.now() - startedMs < 2_000);
});

test('a lone Escape is a key once nothing follows it', () => {
  const decoder = new KeyDecoder();
  assert.equal(decoder.push('\u001b'), []);
  assert.ok(decoder.waiting);
  assert.equal(decoder.giveUp(), [{ type: 'escape' }]);
  assert.equal(decoder.push('a'), [{ type: 'text', text: 'a' }]);
});

function typed(...keys: (Key | string)[]): LineEditor {
  const line = new LineEditor();
  for (const key of keys) line.press(typeof key === 'string' ? { type: 'text', text: key } : key);
  return line;
}

test('what is deleted in a row comes back in one piece', () => {
  const line = typed('one two three', { type: 'killSpaceLeft' }, { type: 'killSpaceLeft' });
  assert.is(line.text, 'one ');
  line.press({ type: 'home' });
  line.press({ type: 'yank' });
  assert.equal(line.editor, { text: 'two threeone ', cursor: 9 });
  line.press({ type: 'killToEnd' });
  line.press({ type: 'yank' });
  line.press({ type: 'yank' });
  assert.is(line.text, 'two threeone one ');
});

test('undo takes back a word, a paste or a deletion at a time', () => {
  const line = typed('s', 'e', 'l', ' ', 'x', { type: 'paste', text: 'a\nb' }, { type: 'killToStart' });
  const texts = [line.text];
  for (let step = 0; step < 5; step += 1) {
    line.press({ type: 'undo' });
    texts.push(line.text);
  }
  assert.equal(texts, ['sel xa\n', 'sel xa\nb', 'sel x', 'sel', '', '']);
});

test('redo goes forward through what was undone, until something else is typed', () => {
  const line = typed('a', ' ', 'b', { type: 'undo' }, { type: 'undo' });
  const texts = [line.text];
  for (let step = 0; step < 3; step += 1) {
    line.press({ type: 'redo' });
    texts.push(line.text);
  }
  assert.equal(texts, ['', 'a', 'a b', 'a b']);
  line.press({ type: 'undo' });
  line.press({ type: 'text', text: 'c' });
  line.press({ type: 'redo' });
  assert.is(line.text, 'ac');
});

test('lines are gone through in one column, over shorter ones and wide characters', () => {
  const line = typed(
    { type: 'paste', text: 'abcdef\nx\n日本語\nabcdef' },
    { type: 'left' },
    { type: 'left' },
  );
  const columns = () => line.editor.cursor;
  const { text } = line;
  line.press({ type: 'up' });
  assert.is(text.slice(0, columns()), 'abcdef\nx\n日本');
  line.press({ type: 'up' });
  assert.is(text.slice(0, columns()), 'abcdef\nx');
  line.press({ type: 'up' });
  assert.is(text.slice(0, columns()), 'abcd');
  assert.not.ok(line.press({ type: 'up' }));
  assert.ok(line.press({ type: 'pageDown' }));
  assert.is(text.slice(0, columns()), 'abcdef\nx\n日本語\nabcd');
});

test('of a text higher than its room the rows around the cursor are laid out', () => {
  const text = Array.from({ length: 500 }, (_, line) => `line ${line}`).join('\n');
  const { rows, y, partial } = layoutEditor({ text, cursor: text.indexOf('line 250') }, 80, 10);
  const lines = rows.map(({ start, end }) => text.slice(start, end));
  assert.equal([lines[0], lines[y], lines.at(-1), partial], ['line 245', 'line 250', 'line 254', true]);
  const last = layoutEditor(editorOf(text), 80, 10);
  assert.equal([last.rows.length, last.y, last.partial], [10, 9, true]);
  assert.not.ok(layoutEditor(editorOf('a\nb'), 80, 10).partial);
});

test('colours follow the tokens, and parts of a text add up to the whole', () => {
  const marked = new Highlighter((format, part) => `<${String(format)}:${part}>`);
  const text = "select count(x), 'a;' from t -- end";
  assert.is(
    marked.slice(text, 0, text.length),
    "<bold:select> <cyan:count>(x), <green:'a;'> <bold:from> t <dim:-- end>",
  );
});

test('colours of a text that changes are those of the text read afresh', () => {
  const pieces = fc.constantFrom(
    "'",
    '"',
    '$$',
    '/*',
    '*/',
    '--',
    '\n',
    ';',
    'e',
    '\\',
    'select',
    ' ',
    '(',
    '1',
  );
  const edits = fc.array(fc.tuple(fc.nat(60), fc.nat(3), pieces), { maxLength: 20 });
  const property = fc.property(edits, (steps) => {
    const mark = (format: unknown, part: string) => `<${String(format)}:${part}>`;
    const kept = new Highlighter(mark);
    let text = '';
    for (const [place, removed, added] of steps) {
      const at = Math.min(place, text.length);
      text = text.slice(0, at) + added + text.slice(at + removed);
      assert.is(kept.slice(text, 0, text.length), new Highlighter(mark).slice(text, 0, text.length), text);
    }
  });
  // A backslash that ends an E string so far says nothing of the quote that may come after it.
  const unfinished: [[number, number, string][]] = [
    [
      [0, 0, 'e'],
      [1, 0, "'"],
      [2, 0, '\\'],
      [3, 0, "'"],
    ],
  ];
  fc.assert(property, { numRuns: 300, examples: [unfinished] });
});

test('knows how many rows a frame takes in a window that has become narrower', () => {
  const frame = {
    rows: ['a'.repeat(90), `\u001b[1m${'b'.repeat(20)}\u001b[22m`, 'c'],
    cursor: { x: 15, y: 1 },
  };
  assert.is(rowsAboveCursor(frame, 100, true), 1);
  assert.is(rowsAboveCursor(frame, 30, true), 3);
  assert.is(rowsAboveCursor(frame, 10, true), 9 + 1);
  assert.is(rowsAboveCursor(frame, 10, false), 1);
  assert.is(rowsAboveCursor({ rows: ['a', ''] }, 10, true), 2);
});

test.run();
