import process from 'node:process';
import type { WriteStream } from 'node:tty';
import { columnsOf, rowsOf } from '../../context.js';
import type { Column } from '../../render/formats/result.js';
import type { Paint } from '../../render/style.js';
import { truncateToWidth } from '../../render/width.js';
import type { Key } from '../editor/keys.js';
import { findCell } from './find.js';
import { actOf } from './keys.js';
import { recordLines } from './record-page.js';
import type { RowBuffer } from './row-buffer.js';
import { TablePage } from './table-page.js';

const ENTER_SCREEN = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE_SCREEN = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[2K';
/** Lines that hold no rows: header, rule, status. */
const FRAME_LINES = 3;
/** Rows that the first column widths are taken from. */
const SAMPLE_ROWS = 500;
/** While rows come in, the count is redrawn this often at most. */
const REDRAW_EVERY_MS = 100;

const HELP = 'arrows move, Enter shows the record, / finds, q leaves';
const RECORD_HELP = 'up and down scroll, left and right: other records, q goes back';

export interface PagerOptions {
  readonly columns: readonly Column[];
  readonly buffer: RowBuffer;
  readonly stdout: WriteStream;
  readonly paint: Paint;
  readonly cellLimit: number | undefined;
}

/** Shows a result in the terminal's other screen, to scroll both ways, until it is left. */
export class Pager {
  private readonly options: PagerOptions;
  private readonly table: TablePage;
  private readonly finished: Promise<void>;
  private finish: () => void = () => {};
  private selected = 0;
  private top = 0;
  private left = 0;
  /** First line shown of the selected record, while it is shown. */
  private record: number | undefined;
  /** What is being typed after `/`. */
  private typing: string | undefined;
  private sought = '';
  private note = '';
  private drawnAtMs = 0;
  private hidden = false;

  constructor(options: PagerOptions) {
    this.options = options;
    this.table = new TablePage(options.columns, options.cellLimit);
    this.finished = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  /** Runs until it is left or the signal is aborted. Rows are read on while it shows what is there. */
  async run(signal: AbortSignal): Promise<void> {
    const { stdout, buffer } = this.options;
    const restore = () => stdout.write(LEAVE_SCREEN);
    process.once('exit', restore);
    signal.addEventListener('abort', this.finish, { once: true });
    stdout.on('resize', this.draw);
    stdout.write(ENTER_SCREEN);
    const filling = buffer.fill(() => this.moreCame());
    try {
      await this.finished;
    } finally {
      buffer.stop();
      stdout.removeListener('resize', this.draw);
      signal.removeEventListener('abort', this.finish);
      process.removeListener('exit', restore);
      restore();
      await filling;
    }
  }

  /** Gives the screen back while the terminal is somebody else's, and takes it again. */
  hide(hidden: boolean): void {
    this.hidden = hidden;
    this.options.stdout.write(hidden ? LEAVE_SCREEN : ENTER_SCREEN);
    this.draw();
  }

  press(key: Key): void {
    // Keys typed faster than they are read arrive as one text.
    const keys = key.type === 'text' ? [...key.text].map((text) => ({ type: key.type, text })) : [key];
    for (const one of keys) {
      this.pressOne(one);
      this.settle();
    }
    this.draw();
  }

  private pressOne(key: Key): void {
    if (key.type === 'interrupt') this.finish();
    else if (this.typing !== undefined) this.typeSought(key, this.typing);
    else if (this.record !== undefined) this.pressInRecord(key, this.record);
    else this.pressInTable(key);
  }

  private pressInTable(key: Key): void {
    this.note = '';
    const page = this.pageRows();
    const act = actOf(key);
    if (act === 'leave') this.finish();
    else if (act === 'record') this.record = this.rows.length > 0 ? 0 : undefined;
    else if (act === 'find') this.typing = '';
    else if (act === 'again') void this.find(1);
    else if (act === 'back') void this.find(-1);
    else if (act === 'first') this.selected = 0;
    else if (act === 'last') this.selected = this.rows.length - 1;
    else if (act === 'up') this.selected -= 1;
    else if (act === 'down') this.selected += 1;
    else if (act === 'pageUp') this.scroll(-page);
    else if (act === 'pageDown') this.scroll(page);
    else if (act === 'left') this.left = Math.max(0, this.left - 1);
    else if (act === 'right') this.left = Math.min(this.left + 1, this.table.lastLeft(this.width));
    else if (act === 'firstColumn') this.left = 0;
    else if (act === 'lastColumn') this.left = this.table.lastLeft(this.width);
    else this.note = `${HELP}; PageUp, PageDown, g, G, 0, $; n, N: find again`;
  }

  private pressInRecord(key: Key, line: number): void {
    const act = actOf(key);
    const page = this.height - 2;
    if (act === 'leave' || act === 'record') this.record = undefined;
    else if (act === 'up') this.record = line - 1;
    else if (act === 'down') this.record = line + 1;
    else if (act === 'pageUp') this.record = line - page;
    else if (act === 'pageDown') this.record = line + page;
    else if (act === 'first') this.record = 0;
    else if (act === 'last') this.record = Number.MAX_SAFE_INTEGER;
    else if (act === 'left' || act === 'right') {
      this.selected += act === 'left' ? -1 : 1;
      this.record = 0;
    }
  }

  private typeSought(key: Key, typed: string): void {
    if (key.type === 'text' || key.type === 'paste') this.typing = typed + key.text;
    else if (key.type === 'backspace')
      this.typing = typed === '' ? undefined : [...typed].slice(0, -1).join('');
    else if (key.type === 'escape' || key.type === 'abort') this.typing = undefined;
    else if (key.type === 'enter') {
      this.typing = undefined;
      if (typed !== '') this.sought = typed;
      void this.find(1);
    }
  }

  /** Selects the next row that holds what is sought, among the rows read so far. */
  private async find(direction: 1 | -1): Promise<void> {
    if (this.sought === '') return;
    const { sought } = this;
    const found = await findCell(this.rows, sought, this.selected + direction, direction);
    if (found === undefined) this.note = `"${sought}" is not found ${direction > 0 ? 'below' : 'above'}`;
    else {
      this.note = '';
      this.selected = found.row;
      const shown = this.table.shownFrom(this.left, this.width);
      if (found.column < this.left || found.column >= this.left + shown) this.left = found.column;
    }
    this.draw();
  }

  private scroll(rows: number): void {
    this.top += rows;
    this.selected += rows;
  }

  private moreCame(): void {
    const { state, rows } = this.options.buffer;
    if (this.drawnAtMs === 0) this.table.measure(rows.slice(0, SAMPLE_ROWS));
    if (state === 'reading' && performance.now() - this.drawnAtMs < REDRAW_EVERY_MS) return;
    this.draw();
  }

  private readonly draw = (): void => {
    if (this.hidden) return;
    this.drawnAtMs = performance.now();
    this.settle();
    const { paint, stdout } = this.options;
    const lines = this.record === undefined ? this.tableLines() : this.recordPage(this.record);
    const status = truncateToWidth(this.status(), Math.max(1, this.width - 1));
    const page = this.height - 1;
    const shown = [...lines.slice(0, page), ...Array<string>(Math.max(0, page - lines.length)).fill('')];
    // A line is cleared before it is written: behind a full one the cursor stands on its last character.
    const text = shown.map((line) => `${CLEAR_LINE}${line}\r\n`).join('');
    stdout.write(`${HOME}${text}${CLEAR_LINE}${paint('dim', status)}`);
  };

  /** Brings the place back within the rows, and the selected row into view. */
  private settle(): void {
    const page = this.pageRows();
    this.selected = Math.max(0, Math.min(this.selected, this.rows.length - 1));
    this.top = Math.max(0, Math.min(this.top, this.rows.length - page));
    if (this.selected < this.top) this.top = this.selected;
    if (this.selected >= this.top + page) this.top = this.selected - page + 1;
    this.table.measure(this.rows.slice(this.top, this.top + page));
  }

  private tableLines(): string[] {
    const { top, left, width, options } = this;
    const rows = this.rows.slice(top, top + this.pageRows());
    return this.table.lines({ rows, selected: this.selected - top, left, width, paint: options.paint });
  }

  private recordPage(line: number): string[] {
    const { columns, paint } = this.options;
    const lines = recordLines(columns, this.rows[this.selected] ?? [], { width: this.width, paint });
    this.record = Math.max(0, Math.min(line, lines.length - (this.height - 1)));
    return lines.slice(this.record, this.record + this.height - 1);
  }

  private status(): string {
    if (this.typing !== undefined) return `/${this.typing}█`;
    const { columns, buffer } = this.options;
    const count = this.rows.length.toLocaleString('en-US');
    const { state } = buffer;
    const all = state === 'full' ? `more than ${count}` : count;
    const failed = state === 'failed' ? ', then it failed: q shows why' : '';
    if (this.record !== undefined) return `record ${this.selected + 1} of ${all}  ${RECORD_HELP}`;
    const end = Math.min(this.left + this.table.shownFrom(this.left, this.width), columns.length);
    const kept = { full: '; .output FILE writes all', reading: ' so far', complete: '', failed: '' }[state];
    const range = `${(this.selected + 1).toLocaleString('en-US')} of ${all} rows${kept}${failed}`;
    const [before, after] = [this.left > 0 ? '‹ ' : '', end < columns.length ? ' ›' : ''];
    const place = `${before}columns ${this.left + 1}-${end} of ${columns.length}${after}`;
    return `row ${range}  ${place}  ${this.note === '' ? HELP : this.note}`;
  }

  private get rows(): readonly unknown[][] {
    return this.options.buffer.rows;
  }

  private get width(): number {
    return columnsOf(this.options.stdout);
  }

  private get height(): number {
    return rowsOf(this.options.stdout);
  }

  private pageRows(): number {
    return Math.max(1, this.height - FRAME_LINES);
  }
}
