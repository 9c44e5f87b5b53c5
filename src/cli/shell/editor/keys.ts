/** What a key means to the shell. */
export type Key =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'paste'; readonly text: string }
  | { readonly type: KeyName };

export type KeyName =
  | ('enter' | 'newline' | 'tab' | 'backTab' | 'escape' | 'backspace' | 'delete' | 'none')
  | ('up' | 'down' | 'pageUp' | 'pageDown' | 'left' | 'right' | 'wordLeft' | 'wordRight')
  | ('home' | 'end' | 'textStart' | 'textEnd')
  | (
      | 'killWordLeft'
      | 'killSpaceLeft'
      | 'killWordRight'
      | 'killToEnd'
      | 'killToStart'
      | 'yank'
      | 'undo'
      | 'redo'
    )
  | ('older' | 'newer' | 'searchOlder' | 'searchNewer' | 'abort')
  | ('interrupt' | 'endOfInput' | 'clearScreen' | 'suspend');

const PASTE_START = '\u001b[200~';
const PASTE_END = '\u001b[201~';

const CONTROL: Readonly<Record<string, KeyName>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\u0001': 'home',
  '\u0002': 'left',
  '\u0003': 'interrupt',
  '\u0004': 'endOfInput',
  '\u0005': 'end',
  '\u0006': 'right',
  '\u0007': 'abort',
  '\u0008': 'backspace',
  '\u000b': 'killToEnd',
  '\u000c': 'clearScreen',
  '\u000e': 'down',
  '\u0010': 'up',
  '\u0012': 'searchOlder',
  '\u0013': 'searchNewer',
  '\u0015': 'killToStart',
  '\u0017': 'killSpaceLeft',
  '\u0019': 'yank',
  '\u001a': 'suspend',
  '\u001f': 'undo',
  '\u007f': 'backspace',
};

const SEQUENCES: Readonly<Record<string, KeyName>> = {
  '[A': 'up',
  '[B': 'down',
  '[C': 'right',
  '[D': 'left',
  '[H': 'home',
  '[F': 'end',
  '[Z': 'backTab',
  OA: 'up',
  OB: 'down',
  OC: 'right',
  OD: 'left',
  OH: 'home',
  OF: 'end',
  '[1~': 'home',
  '[7~': 'home',
  '[4~': 'end',
  '[8~': 'end',
  '[3~': 'delete',
  '[5~': 'pageUp',
  '[6~': 'pageDown',
  '[1;5C': 'wordRight',
  '[1;5D': 'wordLeft',
  '[1;3C': 'wordRight',
  '[1;3D': 'wordLeft',
  '[1;3A': 'older',
  '[1;3B': 'newer',
  '[1;5A': 'older',
  '[1;5B': 'newer',
  '[1;5H': 'textStart',
  '[1;5F': 'textEnd',
  '[3;5~': 'killWordRight',
  b: 'wordLeft',
  f: 'wordRight',
  d: 'killWordRight',
  _: 'redo',
  p: 'older',
  n: 'newer',
  '<': 'textStart',
  '>': 'textEnd',
  '\u007f': 'killWordLeft',
  '\u0008': 'killWordLeft',
  '\r': 'newline',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
const SEQUENCE = /^\u001b(\[[0-9;?<>=]*[ -/]*[@-~]|O[A-Za-z]|[^[O\u001b])/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a run of text ends at one
const TEXT = /^[^\u0000-\u001f\u007f]+/;

/** What a Tab is in a pasted text. */
const TAB = '    ';
/** A line break and tabs in one piece come from no finger: a paste that is not bracketed must not complete names. */
const INDENT = /([\r\n])(\t+)/g;

/** Turns what a terminal sends into keys, whatever pieces it arrives in. Knows bracketed paste. */
export class KeyDecoder {
  private pending = '';

  push(chunk: string): Key[] {
    this.pending += chunk.replace(INDENT, (_, line: string, tabs: string) => line + TAB.repeat(tabs.length));
    const keys: Key[] = [];
    while (this.pending !== '') {
      const found = this.next();
      if (found === undefined) break;
      if (found.type !== 'none') keys.push(found);
    }
    return keys;
  }

  /** Whether it waits for the rest of a sequence; a lone Escape looks the same, so give up after a moment. */
  get waiting(): boolean {
    return this.pending !== '' && !this.pending.startsWith(PASTE_START);
  }

  /** Gives up on an unfinished sequence: alone, its Escape was the key; the start of another is dropped. */
  giveUp(): Key[] {
    const keys: Key[] = this.pending === '\u001b' ? [{ type: 'escape' }] : [];
    this.pending = '';
    return keys;
  }

  /** The next key, or `undefined` while its sequence is incomplete. */
  private next(): Key | undefined {
    if (this.pending.startsWith(PASTE_START)) return this.paste();
    const text = TEXT.exec(this.pending)?.[0];
    if (text !== undefined) return this.take(text.length, { type: 'text', text });
    if (!this.pending.startsWith('\u001b')) {
      return this.take(1, { type: CONTROL[this.pending.charAt(0)] ?? 'none' });
    }
    const sequence = SEQUENCE.exec(this.pending);
    if (sequence === null) return this.isHopeless() ? this.take(1, { type: 'escape' }) : undefined;
    return this.take(sequence[0].length, { type: SEQUENCES[sequence[1] ?? ''] ?? 'none' });
  }

  private isHopeless(): boolean {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
    return !/^\u001b(\[[0-9;?<>=]*[ -/]*|O)?$/.test(this.pending);
  }

  private paste(): Key | undefined {
    const end = this.pending.indexOf(PASTE_END);
    if (end < 0) return undefined;
    const text = this.pending.slice(PASTE_START.length, end);
    return this.take(end + PASTE_END.length, { type: 'paste', text: cleanPaste(text) });
  }

  private take(length: number, key: Key): Key {
    this.pending = this.pending.slice(length);
    return key;
  }
}

/** Pasted text with one kind of line break, tabs as spaces, and no other control characters. */
export function cleanPaste(text: string): string {
  return (
    text
      .replace(/\r\n?/g, '\n')
      .replaceAll('\t', TAB)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: removing control characters is the purpose
      .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '')
  );
}
