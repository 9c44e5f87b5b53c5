import { escapeControls } from '../../render/escape.js';
import type { Format, Paint } from '../../render/style.js';
import { KEYWORD_SET } from '../../sql/keywords.js';
import { type Token, type TokenKind, tokenize } from '../../sql/lexer.js';

/**
 * Only weights and colours of middling brightness, which a light and a dark background both leave readable: no
 * blue, no yellow, no white.
 */
const COLOURS: Readonly<Partial<Record<TokenKind, Format>>> = {
  comment: 'dim',
  string: 'green',
  number: 'magenta',
};
const KEYWORD_COLOUR: Format = 'bold';
const FUNCTION_COLOUR: Format = 'cyan';

interface Span {
  readonly end: number;
  readonly token: Token;
}

/** Colours parts of a text of SQL. Remembers the last text, so that a key costs no more than what follows it. */
export class Highlighter {
  private readonly paint: Paint;
  private text = '';
  private spans: readonly Span[] = [];

  constructor(paint: Paint) {
    this.paint = paint;
  }

  /** The text from `start` to before `end` in its colours, with control characters spelled out. */
  slice(text: string, start: number, end: number): string {
    if (/^\s*[.@]/.test(text)) return escapeControls(text.slice(start, end));
    this.read(text);
    let shown = '';
    let from = start;
    for (let index = this.spanAt(start); from < end && index < this.spans.length; index += 1) {
      const { end: spanEnd, token } = this.spans[index] as Span;
      const format = formatOf(token, this.spans[index + 1]?.token);
      const part = escapeControls(text.slice(from, Math.min(spanEnd, end)));
      shown += format === undefined || part === '' ? part : this.paint(format, part);
      from = spanEnd;
    }
    return shown;
  }

  private read(text: string): void {
    if (text === this.text) return;
    // A token ends where the character after it tells so: those that end before the change are what they were.
    let count = this.spanAt(commonLength(text, this.text) - 1);
    // But a dollar and the word after it may have become a dollar quote.
    while (count > 0 && [1, 2].some((back) => this.spans[count - back]?.token.text === '$')) count -= 1;
    const kept = this.spans.slice(0, count);
    let end = kept.at(-1)?.end ?? 0;
    const read = tokenize(text, end).map((token) => {
      end += token.text.length;
      return { end, token };
    });
    this.text = text;
    this.spans = [...kept, ...read];
  }

  /** The first span that ends after the offset. */
  private spanAt(offset: number): number {
    let [low, high] = [0, this.spans.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.spans[middle]?.end ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** How many units two texts begin with in common. */
function commonLength(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  if (one.startsWith(other.slice(0, length))) return length;
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (one.startsWith(other.slice(0, middle))) low = middle;
    else high = middle - 1;
  }
  return low;
}

function formatOf({ kind, text }: Token, next: Token | undefined): Format | undefined {
  if (kind !== 'word') return COLOURS[kind];
  if (KEYWORD_SET.has(text.toLowerCase())) return KEYWORD_COLOUR;
  return next?.text === '(' ? FUNCTION_COLOUR : undefined;
}
