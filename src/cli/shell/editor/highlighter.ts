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
  readonly format: Format | undefined;
}

/** Colours parts of a text of SQL. Reads a text once and remembers the last. */
export class Highlighter {
  private readonly paint: Paint;
  private text: string | undefined;
  private spans: readonly Span[] = [];

  constructor(paint: Paint) {
    this.paint = paint;
  }

  /** The text from `start` to before `end` in its colours, with control characters spelled out. */
  slice(text: string, start: number, end: number): string {
    if (text !== this.text) {
      this.text = text;
      this.spans = spansOf(text);
    }
    let shown = '';
    let from = start;
    for (let index = this.spanAt(start); from < end && index < this.spans.length; index += 1) {
      const { end: spanEnd, format } = this.spans[index] as Span;
      const part = escapeControls(text.slice(from, Math.min(spanEnd, end)));
      shown += format === undefined || part === '' ? part : this.paint(format, part);
      from = spanEnd;
    }
    return shown;
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

function spansOf(text: string): Span[] {
  if (/^\s*[.@]/.test(text)) return [{ end: text.length, format: undefined }];
  let end = 0;
  const tokens = tokenize(text);
  return tokens.map((token, index) => {
    end += token.text.length;
    return { end, format: formatOf(token, tokens[index + 1]) };
  });
}

function formatOf({ kind, text }: Token, next: Token | undefined): Format | undefined {
  if (kind !== 'word') return COLOURS[kind];
  if (KEYWORD_SET.has(text.toLowerCase())) return KEYWORD_COLOUR;
  return next?.text === '(' ? FUNCTION_COLOUR : undefined;
}
