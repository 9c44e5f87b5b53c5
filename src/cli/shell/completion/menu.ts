import { escapeControls } from '../../render/escape.js';
import { displayWidth, padToWidth, truncateToWidth } from '../../render/width.js';
import { type Editor, replaceBefore } from '../editor/text.js';
import type { Candidate } from './candidates.js';

const GAP = 2;
/** A candidate is cut to this, so that one long name does not leave room for a single column. */
const CELL_LIMIT = 40;

/** A cell of the menu as it is drawn. */
export interface MenuCell {
  readonly text: string;
  readonly selected: boolean;
}

/** Candidates to choose from; the one chosen stands in the text already. */
export class Menu {
  readonly candidates: readonly Candidate[];
  private readonly start: Editor;
  private readonly replaced: number;
  private index = -1;

  /** @param replaced length of the word before the cursor of `start` that a candidate takes the place of. */
  constructor(start: Editor, replaced: number, candidates: readonly Candidate[]) {
    this.start = start;
    this.replaced = replaced;
    this.candidates = candidates;
  }

  /** Moves the choice, round and round. Returns the text with the new choice in it. */
  step(by: number): Editor {
    const { length } = this.candidates;
    const from = this.index < 0 && by < 0 ? 0 : this.index;
    this.index = (((from + by) % length) + length) % length;
    return replaceBefore(this.start, this.replaced, this.candidates[this.index]?.text ?? '');
  }

  /** The text as it was before anything was chosen. */
  get original(): Editor {
    return this.start;
  }

  get chosen(): Candidate | undefined {
    return this.candidates[this.index];
  }

  /** What the choice is, and its place among all. */
  status(): string {
    const { chosen } = this;
    const count = `${this.candidates.length}`;
    if (chosen === undefined) return `${count} candidates: Tab chooses`;
    return `${this.index + 1}/${count}  ${escapeControls(chosen.detail)}`.trimEnd();
  }

  /** Candidates in columns, at most `maxRows` rows: those around the choice. */
  rows(columns: number, maxRows: number): MenuCell[][] {
    const cell = Math.min(CELL_LIMIT, Math.max(...this.candidates.map(({ text }) => shownWidth(text)))) + GAP;
    const perRow = Math.max(1, Math.floor((columns - 1) / cell));
    const total = Math.ceil(this.candidates.length / perRow);
    const chosenRow = Math.floor(Math.max(0, this.index) / perRow);
    const first = Math.max(0, Math.min(chosenRow - Math.floor(maxRows / 2), total - maxRows));
    const rows: MenuCell[][] = [];
    for (let row = first; row < Math.min(total, first + maxRows); row += 1) {
      const part = this.candidates.slice(row * perRow, (row + 1) * perRow);
      rows.push(
        part.map(({ text }, index) => ({
          text: padToWidth(truncateToWidth(escapeControls(text), cell - GAP), cell),
          selected: row * perRow + index === this.index,
        })),
      );
    }
    return rows;
  }
}

function shownWidth(text: string): number {
  return displayWidth(escapeControls(text));
}
