import { deleteTo, type Editor, insert, type Move, moveTo } from './editor.js';
import type { Key } from './keys.js';

const MOVE_KEYS: Readonly<Partial<Record<Key['type'], Move>>> = {
  left: 'left',
  right: 'right',
  home: 'lineStart',
  end: 'lineEnd',
  wordLeft: 'wordLeft',
  wordRight: 'wordRight',
};

const DELETE_KEYS: Readonly<Partial<Record<Key['type'], Move>>> = {
  backspace: 'left',
  delete: 'right',
  deleteWord: 'wordLeft',
  deleteSpaceWord: 'spaceLeft',
  deleteWordRight: 'wordRight',
  deleteToEnd: 'lineEnd',
  deleteToStart: 'lineStart',
};

/** What a key that only edits makes of the text; `undefined` for every other key. */
export function editedBy(editor: Editor, key: Key): Editor | undefined {
  if (key.type === 'text' || key.type === 'paste') return insert(editor, key.text);
  if (key.type === 'newline') return insert(editor, '\n');
  const move = MOVE_KEYS[key.type];
  if (move !== undefined) return moveTo(editor, move);
  const deletion = DELETE_KEYS[key.type];
  return deletion === undefined ? undefined : deleteTo(editor, deletion);
}
