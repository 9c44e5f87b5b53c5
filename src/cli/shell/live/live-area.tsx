import { Writable } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import { type Instance, render } from 'ink';
import { columnsOf, rowsOf } from '../../context.js';
import { type Frame, rowsAboveCursor } from './frame.js';
import { Prompt } from './prompt.js';

/** Ink's default holds a frame back for 33 ms after the one before, which a typist would feel. */
const FRAMES_PER_SECOND = 1_000;

/** What Ink writes around each frame, so that a terminal shows it at once. */
const BEGIN_FRAME = '\u001b[?2026h';
const END_FRAME = '\u001b[?2026l';

export interface LiveAreaOptions {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  /** Whether the terminal folds long rows anew when its width changes. */
  readonly reflows: boolean;
}

/**
 * The rows at the bottom of the terminal that Ink draws. Ink counts the rows of its last frame to find its way
 * back over them, and a window that was narrowed since has more: so this takes the frame away itself, by what
 * the terminal makes of it, and starts Ink anew below.
 */
export class LiveArea {
  private readonly options: LiveAreaOptions;
  private readonly output: InkOutput;
  private ink: Instance | undefined;
  private writeAbove: (text: string) => void = () => {};
  private latest: Frame | undefined;
  /** The frame on the screen, which is an older one while Ink holds the latest back. */
  private drawn: Frame | undefined;

  constructor(options: LiveAreaOptions) {
    this.options = options;
    this.output = new InkOutput(options.stdout, () => {
      this.drawn = this.latest;
    });
  }

  draw(frame: Frame): void {
    this.latest = frame;
    const prompt = <Prompt frame={frame} onReady={this.setWriter} />;
    if (this.ink === undefined) this.ink = this.start(prompt);
    else this.ink.rerender(prompt);
  }

  /** Prints text that ends in a line break above the frame, where it stays. */
  print(text: string): void {
    if (this.ink === undefined) this.options.stdout.write(text);
    else this.writeAbove(text);
  }

  /** Takes the frame off the screen, and leaves the cursor where it began. The next `draw` brings it back. */
  erase(): void {
    if (this.ink === undefined) return;
    const { stdout, reflows } = this.options;
    this.output.muted = true;
    this.ink.unmount();
    this.output.muted = false;
    this.ink = undefined;
    if (this.drawn === undefined) return;
    const up = rowsAboveCursor(this.drawn, columnsOf(stdout), reflows);
    this.drawn = undefined;
    stdout.write(`\r${up > 0 ? `\u001b[${up}A` : ''}\u001b[J\u001b[?25h`);
  }

  private start(prompt: React.ReactNode): Instance {
    const { stdin } = this.options;
    // Ink asks for a terminal but uses no more of it than InkOutput has.
    const stdout = this.output as unknown as WriteStream;
    return render(prompt, {
      ...{ stdin, stdout, exitOnCtrlC: false, patchConsole: false },
      maxFps: FRAMES_PER_SECOND,
    });
  }

  private readonly setWriter = (write: (text: string) => void): void => {
    this.writeAbove = write;
  };
}

/** The terminal as Ink sees it: it never changes its size, and can be closed to Ink. */
class InkOutput extends Writable {
  readonly isTTY = true;
  muted = false;
  /** What Ink has written of a frame so far: it goes out in one piece. */
  private pending: string | undefined;
  private readonly target: WriteStream;
  private readonly onWrite: () => void;

  constructor(target: WriteStream, onWrite: () => void) {
    super({ decodeStrings: false });
    this.target = target;
    this.onWrite = onWrite;
  }

  get columns(): number {
    return columnsOf(this.target);
  }

  get rows(): number {
    return rowsOf(this.target);
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    const text = String(chunk);
    if (text === BEGIN_FRAME) this.pending = '';
    if (this.pending === undefined) this.send(text);
    else {
      this.pending += text;
      if (text === END_FRAME) {
        this.send(this.pending);
        this.pending = undefined;
      }
    }
    done();
  }

  private send(text: string): void {
    if (this.muted) return;
    this.onWrite();
    this.target.write(text);
  }
}
