import type { QuerySession } from '../../handlers/query-session.js';
import { escapeControls } from '../render/escape.js';
import type { Paint } from '../render/style.js';
import { truncateToWidth } from '../render/width.js';
import { commonStart } from './completion/candidates.js';
import { completionFor } from './completion/completion.js';
import { Menu } from './completion/menu.js';
import type { Vocabulary } from './completion/vocabulary.js';
import { Highlighter } from './editor/highlighter.js';
import type { Key } from './editor/keys.js';
import { layoutEditor, lineNumber } from './editor/layout.js';
import { LineEditor } from './editor/line-editor.js';
import { type Editor, EMPTY, insert, replaceBefore } from './editor/text.js';
import { isComplete } from './entry.js';
import type { History } from './history.js';
import { HistoryBrowser } from './history-browser.js';
import { HistorySearch } from './history-search.js';

import type { Frame } from './live/frame.js';

/** Rows that the text may take at most: Ink redraws all of them at every key, and must never fill the window. */
const TEXT_ROWS = 12;
const MENU_ROWS = 5;
/** Rows of the window that stay free of the frame: the status, and one of what was printed before. */
const SPARE_ROWS = 3;
const INVERSE = '\u001b[7m';
const INVERSE_END = '\u001b[27m';

export interface ComposerOptions {
  readonly session: QuerySession;
  readonly history: History;
  readonly folder: string;
  readonly paint: Paint;
  readonly vocabulary: Promise<Vocabulary>;
}

/** What a key led to, besides a change of what is drawn. */
export type Outcome =
  | { readonly type: 'none' | 'leave' | 'clearScreen' }
  | { readonly type: 'submit' | 'discard'; readonly text: string };

const NONE: Outcome = { type: 'none' };

/** What is being composed at the prompt: the text, the candidates below it, a search through the history. */
export class Composer {
  private readonly options: ComposerOptions;
  private readonly line = new LineEditor();
  private readonly browser: HistoryBrowser;
  private readonly highlighter: Highlighter;
  private menu: Menu | undefined;
  private search: HistorySearch | undefined;

  constructor(options: ComposerOptions) {
    this.options = options;
    this.browser = new HistoryBrowser(options.history);
    this.highlighter = new Highlighter(options.paint);
  }

  async press(key: Key): Promise<Outcome> {
    if (this.search !== undefined && this.pressInSearch(key, this.search)) return NONE;
    if (this.menu !== undefined && this.pressInMenu(key, this.menu)) return NONE;
    if (key.type === 'enter') return this.enter();
    if (key.type === 'interrupt') return this.discard();
    if (key.type === 'endOfInput' && this.line.text === '') return { type: 'leave' };
    if (key.type === 'clearScreen') return { type: 'clearScreen' };
    if (key.type === 'endOfInput') this.line.press({ type: 'delete' });
    else if (key.type === 'tab') await this.complete();
    else if (key.type === 'searchOlder' || key.type === 'searchNewer') this.startSearch();
    else if (key.type === 'older' || key.type === 'newer') this.browse(key.type);
    else if (!this.line.press(key)) this.pressPastText(key);
    return NONE;
  }

  /** Up in the first line and Down in the last one go on into the history. */
  private pressPastText(key: Key): void {
    if (key.type === 'up' || key.type === 'pageUp') this.browse('older');
    else if (key.type === 'down' || key.type === 'pageDown') this.browse('newer');
  }

  private browse(towards: 'older' | 'newer'): void {
    const found = this.browser.step(towards, this.line.editor);
    if (found !== undefined) this.line.load(found);
  }

  private enter(): Outcome {
    const { text } = this.line;
    if (!isComplete(text)) {
      this.line.change(insert(this.line.editor, '\n'));
      return NONE;
    }
    this.reset();
    return { type: 'submit', text };
  }

  private discard(): Outcome {
    const { text } = this.line;
    this.reset();
    return { type: 'discard', text };
  }

  private reset(): void {
    this.line.load(EMPTY);
    this.browser.reset();
  }

  private startSearch(): void {
    this.search = new HistorySearch(this.options.history);
  }

  /** Returns whether the search has dealt with the key; the others end it and then do what they always do. */
  private pressInSearch(key: Key, search: HistorySearch): boolean {
    if (key.type === 'text' || key.type === 'paste') search.type(key.text.replaceAll('\n', ' '));
    else if (key.type === 'backspace') search.erase();
    else if (key.type === 'searchOlder') search.step('older');
    else if (key.type === 'searchNewer') search.step('newer');
    else {
      this.search = undefined;
      const isDropped = key.type === 'abort' || key.type === 'interrupt';
      if (!isDropped && search.match !== undefined) {
        const { statement, at } = search.match;
        this.browser.reset();
        this.line.load({ text: statement, cursor: key.type === 'enter' ? statement.length : at });
      }
      return isDropped || key.type === 'escape';
    }
    return true;
  }

  /** Returns whether the menu has dealt with the key; the others close it and then do what they always do. */
  private pressInMenu(key: Key, menu: Menu): boolean {
    if (key.type === 'tab' || key.type === 'backTab') {
      this.line.change(menu.step(key.type === 'tab' ? 1 : -1));
      return true;
    }
    this.menu = undefined;
    if (key.type === 'escape') this.line.change(menu.original);
    else if (key.type === 'enter' && menu.chosen !== undefined) {
      this.line.change(insert(this.line.editor, menu.chosen.after ?? ''));
    } else return false;
    return true;
  }

  private async complete(): Promise<void> {
    const { editor } = this.line;
    const { session, folder, vocabulary } = this.options;
    const [before, after] = [editor.text.slice(0, editor.cursor), editor.text.slice(editor.cursor)];
    const { replaced, candidates } = await completionFor(
      { before, after, folder },
      session,
      await vocabulary,
    );
    const [only, ...others] = candidates;
    if (only === undefined) return;
    if (others.length === 0) {
      const next = only.after === after.charAt(0) ? '' : (only.after ?? '');
      this.line.change(replaceBefore(editor, replaced, only.text + next));
      return;
    }
    const common = commonStart(candidates);
    const grown = common.length > replaced ? replaceBefore(editor, replaced, common) : editor;
    if (grown !== editor) this.line.change(grown);
    this.menu = new Menu(grown, Math.max(replaced, grown === editor ? 0 : common.length), candidates);
  }

  /** Everything to be drawn for a window of this size. */
  frame(columns: number, windowRows: number): Frame {
    const room = Math.max(1, windowRows - SPARE_ROWS);
    const below = this.below(columns, Math.max(0, room - 1));
    const editor = this.shownEditor();
    const layout = layoutEditor(editor, columns, Math.max(1, Math.min(TEXT_ROWS, room - below.length)));
    const { paint } = this.options;
    const rows = layout.rows.map(({ prompt, start, end }) => {
      return paint('cyan', prompt) + this.highlighter.slice(editor.text, start, end);
    });
    const { x, y } = layout;
    const place = layout.partial && below.length === 0 ? [this.status(placeText(editor), columns)] : [];
    return { rows: [...rows, ...below, ...place], cursor: { x, y } };
  }

  private shownEditor(): Editor {
    const match = this.search?.match;
    return match === undefined ? this.line.editor : { text: match.statement, cursor: match.at };
  }

  private below(columns: number, maxRows: number): string[] {
    if (maxRows < 1) return [];
    if (this.search !== undefined) return [this.status(searchText(this.search), columns)];
    if (this.menu === undefined) return [];
    const cells = this.menu.rows(columns, Math.min(MENU_ROWS, maxRows - 1));
    // Inverse is no colour: a choice has to show under NO_COLOR too.
    const rows = cells.map((row) =>
      row.map(({ text, selected }) => (selected ? `${INVERSE}${text}${INVERSE_END}` : text)).join(''),
    );
    return [...rows, this.status(this.menu.status(), columns)];
  }

  private status(text: string, columns: number): string {
    return this.options.paint('dim', truncateToWidth(text, Math.max(1, columns - 1)));
  }
}

function placeText(editor: Editor): string {
  const { line, lines } = lineNumber(editor);
  return `line ${line} of ${lines}`;
}

function searchText({ query, failed }: HistorySearch): string {
  const found = failed ? ' (no more)' : '';
  return `search${found}: ${escapeControls(query)}   Ctrl-R older, Ctrl-S newer, Enter runs, Esc edits, Ctrl-G drops`;
}
