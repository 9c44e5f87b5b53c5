import type { Key } from './keys.js';
import type { Move } from './text.js';

type Bound = Readonly<Partial<Record<Key['type'], Move>>>;

/** Keys that move the cursor. */
export const MOVE_KEYS: Bound = {
  left: 'left',
  right: 'right',
  home: 'lineStart',
  end: 'lineEnd',
  textStart: 'textStart',
  textEnd: 'textEnd',
  wordLeft: 'wordLeft',
  wordRight: 'wordRight',
};

/** Keys that delete one character. */
export const DELETE_KEYS: Bound = { backspace: 'left', delete: 'right' };

/** Keys that delete more and keep it for Ctrl-Y. */
export const KILL_KEYS: Bound = {
  killWordLeft: 'wordLeft',
  killSpaceLeft: 'spaceLeft',
  killWordRight: 'wordRight',
  killToEnd: 'lineEnd',
  killToStart: 'lineStart',
};

/** Lines that PageUp and PageDown move by while editing. */
const PAGE_LINES = 10;

/** Keys that move by lines, negative upwards. */
export const LINE_KEYS: Readonly<Partial<Record<Key['type'], number>>> = {
  up: -1,
  down: 1,
  pageUp: -PAGE_LINES,
  pageDown: PAGE_LINES,
};
