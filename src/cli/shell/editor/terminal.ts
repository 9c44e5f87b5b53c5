import process from 'node:process';
import type { Writable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { type Key, KeyDecoder } from './keys.js';

const PASTE_ON = '\u001b[?2004h';
const PASTE_OFF = '\u001b[?2004l';
/** How long the rest of an escape sequence may take; after that it was the Escape key. */
const ESCAPE_WAIT_MS = 100;

/** A terminal in raw mode with bracketed paste, until it is closed or the process ends. */
export class Terminal {
  private readonly input: ReadStream;
  private readonly output: Writable;
  private readonly onKeys: (keys: Key[]) => void;
  private readonly decoder = new KeyDecoder();
  private escapeTimer: NodeJS.Timeout | undefined;

  constructor(input: ReadStream, output: Writable, onKeys: (keys: Key[]) => void) {
    this.input = input;
    this.output = output;
    this.onKeys = onKeys;
  }

  open(): void {
    process.once('exit', this.restore);
    this.input.setEncoding('utf8');
    this.input.setRawMode(true);
    this.input.on('data', this.receive);
    this.input.resume();
    this.output.write(PASTE_ON);
  }

  close(): void {
    process.removeListener('exit', this.restore);
    clearTimeout(this.escapeTimer);
    this.input.removeListener('data', this.receive);
    this.input.pause();
    this.restore();
  }

  private readonly restore = (): void => {
    this.input.setRawMode(false);
    this.output.write(PASTE_OFF);
  };

  private readonly receive = (chunk: string | Buffer): void => {
    clearTimeout(this.escapeTimer);
    const keys = this.decoder.push(String(chunk));
    if (this.decoder.waiting) this.escapeTimer = setTimeout(this.giveUp, ESCAPE_WAIT_MS);
    if (keys.length > 0) this.onKeys(keys);
  };

  private readonly giveUp = (): void => {
    const keys = this.decoder.giveUp();
    if (keys.length > 0) this.onKeys(keys);
  };
}
