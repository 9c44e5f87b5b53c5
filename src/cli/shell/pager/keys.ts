import type { Key } from '../editor/keys.js';

/** What a key means in the pager. */
export type Act =
  | (
      | 'leave'
      | 'record'
      | 'find'
      | 'again'
      | 'back'
      | 'first'
      | 'last'
      | 'up'
      | 'down'
      | 'pageUp'
      | 'pageDown'
    )
  | ('left' | 'right' | 'firstColumn' | 'lastColumn');

const TABLE_KEYS: Readonly<Partial<Record<Key['type'], Act>>> = {
  ...{ escape: 'leave', endOfInput: 'leave', abort: 'leave', enter: 'record', tab: 'right', backTab: 'left' },
  ...{ up: 'up', down: 'down', left: 'left', right: 'right', pageUp: 'pageUp', pageDown: 'pageDown' },
  ...{ home: 'first', end: 'last', textStart: 'first', textEnd: 'last' },
};

const TEXT_KEYS: Readonly<Record<string, Act>> = {
  ...{ q: 'leave', k: 'up', j: 'down', h: 'left', l: 'right', g: 'first', G: 'last' },
  ...{ ' ': 'pageDown', b: 'pageUp', f: 'pageDown', '/': 'find', n: 'again', N: 'back' },
  ...{ '0': 'firstColumn', $: 'lastColumn' },
};

/** What a key means in the pager; `undefined` for a key that means nothing. */
export function actOf(key: Key): Act | undefined {
  return key.type === 'text' || key.type === 'paste' ? TEXT_KEYS[key.text] : TABLE_KEYS[key.type];
}
