import { DELETE_KEYS, KILL_KEYS, LINE_KEYS, MOVE_KEYS } from './bindings.js';
import type { Key } from './keys.js';
import {
  columnOf,
  deleteTo,
  type Editor,
  EMPTY,
  insert,
  MOVES,
  type Move,
  moveLines,
  moveTo,
  textTo,
} from './text.js';

/** Steps that can be undone; a whole paste or a typed word is one. */
const UNDO_STEPS = 200;

type Act = 'type' | 'kill' | 'line' | 'other';

/** The text being typed with what its keys remember: what was killed, what can be undone, the column to stay in. */
export class LineEditor {
  private current: Editor = EMPTY;
  /** What undo goes back to, and redo forward to. */
  private before: Editor[] = [];
  private after: Editor[] = [];
  private killed = '';
  private lastAct: Act = 'other';
  private column = 0;

  get editor(): Editor {
    return this.current;
  }

  get text(): string {
    return this.current.text;
  }

  /** Another text altogether; what came before can no longer be undone. */
  load(editor: Editor): void {
    this.current = editor;
    this.before = [];
    this.after = [];
    this.lastAct = 'other';
  }

  /** A change from outside the keyboard, such as a completion: one step to undo. */
  change(editor: Editor): void {
    this.commit(editor, 'other');
  }

  /** Does what a key does to the text; false for a key that does nothing to it. */
  press(key: Key): boolean {
    if (key.type === 'text') this.typeText(key.text);
    else if (key.type === 'paste') this.change(insert(this.current, key.text));
    else if (key.type === 'newline') this.change(insert(this.current, '\n'));
    else if (key.type === 'yank') this.change(insert(this.current, this.killed));
    else if (key.type === 'undo') this.step(this.before, this.after);
    else if (key.type === 'redo') this.step(this.after, this.before);
    else if (LINE_KEYS[key.type] !== undefined) return this.moveByLines(LINE_KEYS[key.type] ?? 0);
    else return this.pressBound(key);
    return true;
  }

  private pressBound(key: Key): boolean {
    const move = MOVE_KEYS[key.type];
    const deletion = DELETE_KEYS[key.type];
    const kill = KILL_KEYS[key.type];
    if (move !== undefined) {
      this.current = moveTo(this.current, move);
      this.lastAct = 'other';
    } else if (deletion !== undefined) this.commit(deleteTo(this.current, deletion), 'other');
    else if (kill !== undefined) this.kill(kill);
    else return false;
    return true;
  }

  private typeText(text: string): void {
    const joins = this.lastAct === 'type' && !/\s/.test(text);
    this.commit(insert(this.current, text), 'type', joins);
  }

  /** Kills in a row are one text to yank, in the order that they stood in. */
  private kill(move: Move): void {
    const text = textTo(this.current, move);
    const backwards = MOVES[move](this.current) < this.current.cursor;
    if (this.lastAct !== 'kill') this.killed = text;
    else this.killed = backwards ? text + this.killed : this.killed + text;
    this.commit(deleteTo(this.current, move), 'kill');
  }

  private moveByLines(lines: number): boolean {
    if (this.lastAct !== 'line') this.column = columnOf(this.current);
    const moved = moveLines(this.current, lines, this.column);
    if (moved === undefined) return false;
    this.current = moved;
    this.lastAct = 'line';
    return true;
  }

  /** Takes the text back to what a list ends with; the other one takes it here again. */
  private step(from: Editor[], to: Editor[]): void {
    const next = from.pop();
    if (next !== undefined) {
      to.push(this.current);
      this.current = next;
    }
    this.lastAct = 'other';
  }

  private commit(editor: Editor, act: Act, joinsLast = false): void {
    if (editor.text !== this.current.text) {
      this.after = [];
      if (!joinsLast) this.before.push(this.current);
      if (this.before.length > UNDO_STEPS) this.before.shift();
    }
    this.current = editor;
    this.lastAct = act;
  }
}
