import { connect as dial, isIP, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as dialTls } from 'node:tls';

/** Where a server listens, and how far it must prove itself. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  /** Options of TLS; false for a connection in plain text. */
  readonly tls: false | { readonly ca?: string };
}

/** Whether a session is in a transaction, and in one that failed, so that it can only be rolled back. */
export type TransactionState = 'none' | 'open' | 'failed';

/** PostgreSQL 17 documentation, 53.7 Message Formats: SSLRequest, and the server's consent. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const CONSENT = 0x53;
/** Length and code of CancelRequest, which the server answers by hanging up. */
const CANCEL_REQUEST = Buffer.from([0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e]);
/** Type and length of ReadyForQuery, which ends every answer and is followed by one byte of state. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5]);
const ANSWER_END_BYTES = READY.length + 1;
const TRANSACTION_STATES: Readonly<Record<string, TransactionState>> = { I: 'none', T: 'open', E: 'failed' };
const ERROR_RESPONSE = 0x45;
const KEEP_ALIVE_AFTER_MS = 60_000;

export interface SocketOptions {
  /** How long a statement may go without any byte either way; for ever by default. */
  readonly silenceTimeoutMs?: number | undefined;
  /** Gets the state of the session's transaction with the end of every answer. */
  readonly onTransaction?: ((state: TransactionState) => void) | undefined;
  /** Told when the connection ends with a transaction open in it. */
  readonly onTransactionLost?: (() => void) | undefined;
}

/**
 * The driver's socket, in our hands: it dials, verifies the server's certificate and host name, and turns silence
 * and hanging up into errors. Left to itself the driver waits for a silent server for ever, and dials one that
 * hangs up at once again and again without telling anybody.
 */
export class ServerSocket extends Duplex {
  readonly host: string;
  readonly port: number;
  private readonly address: ServerAddress;
  private readonly options: SocketOptions;
  private readonly dialed: Promise<Socket>;
  /** What the descriptor belongs to, from the first moment on. */
  private raw: Socket | undefined;
  private open: Socket | undefined;
  /** Whether something was sent, or has begun to come, whose answer is not complete. */
  private waiting = false;
  private silence: NodeJS.Timeout | undefined;
  private lastChunk: Buffer | undefined;
  /** The last bytes that came: a message may be spread over chunks. */
  private tail: Buffer = Buffer.alloc(0);
  private state: TransactionState = 'none';

  constructor(address: ServerAddress, options: SocketOptions = {}) {
    super({ allowHalfOpen: false });
    this.address = address;
    this.host = address.host;
    this.port = address.port;
    this.options = options;
    this.dialed = this.dial();
    this.dialed.catch((error: Error) => this.destroy(error));
  }

  /** The driver asks for it as of a socket of Node. */
  get readyState(): 'open' | 'closed' {
    return this.destroyed ? 'closed' : 'open';
  }

  private async dial(): Promise<Socket> {
    const { host, port, tls } = this.address;
    const raw = dial({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
    });
    this.raw = raw;
    const socket = await new Promise<Socket>((resolve, reject) => {
      raw.on('error', reject);
      raw.once('close', () => reject(lost('the server hung up')));
      if (tls === false) raw.once('connect', () => resolve(raw));
      else startTls(raw, host, tls).then(resolve, reject);
    });
    this.open = socket;
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', (error) => this.destroy(this.reasonFor(error)));
    socket.on('end', () => this.hungUp());
    socket.on('close', () => this.hungUp());
    return socket;
  }

  private receive(chunk: Buffer): void {
    const whole = chunk.length >= ANSWER_END_BYTES ? chunk : Buffer.concat([this.tail, chunk]);
    this.tail = whole.subarray(-ANSWER_END_BYTES);
    const state = stateAtEnd(this.tail);
    if (state === undefined) this.watch();
    else this.answered(state);
    this.lastChunk = chunk;
    if (!this.push(chunk)) this.open?.pause();
  }

  /** Nothing was under way: the driver makes a new connection when it needs one. Otherwise it is told why. */
  private hungUp(): void {
    if (!this.waiting) this.destroy();
    else this.destroy(lost(`the server ended the connection${lastWords(this.lastChunk)}`));
  }

  /** What we sent meanwhile may turn the end of a connection into a reset; why it ended was said before. */
  private reasonFor(error: Error): Error {
    const words = lastWords(this.lastChunk);
    return words === '' ? error : lost(`the server ended the connection${words}`);
  }

  private watch(): void {
    if (this.destroyed) return;
    this.waiting = true;
    const { silenceTimeoutMs } = this.options;
    if (this.silence !== undefined) this.silence.refresh();
    else if (silenceTimeoutMs !== undefined) {
      this.silence = setTimeout(() => this.giveUp(silenceTimeoutMs), silenceTimeoutMs);
    }
  }

  private giveUp(silenceTimeoutMs: number): void {
    const seconds = Math.round(silenceTimeoutMs / 1_000);
    this.destroy(
      Object.assign(new Error(`the server has not answered for ${seconds} s`), { code: 'ETIMEDOUT' }),
    );
  }

  private answered(state: TransactionState): void {
    this.stopWatching();
    this.state = state;
    this.options.onTransaction?.(state);
  }

  private stopWatching(): void {
    this.waiting = false;
    clearTimeout(this.silence);
    this.silence = undefined;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (!chunk.subarray(0, CANCEL_REQUEST.length).equals(CANCEL_REQUEST)) this.watch();
    this.dialed.then(
      (socket) => socket.write(chunk, (error) => done(error ? this.reasonFor(error) : null)),
      // The socket is destroyed with that error already.
      () => done(),
    );
  }

  override _read(): void {
    this.open?.resume();
  }

  /** A server need not answer the last message, so nothing is waited for once it has left. */
  override _final(done: () => void): void {
    this.open?.end(() => {
      done();
      this.destroy();
    });
  }

  /** What was never connected has nothing to say goodbye to. */
  override end(chunk?: unknown): this {
    return this.open === undefined ? this.destroy() : super.end(chunk);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.stopWatching();
    this.open?.destroy();
    this.raw?.destroy();
    if (this.state !== 'none') this.options.onTransactionLost?.();
    done(error);
  }
}

async function startTls(raw: Socket, host: string, tls: { readonly ca?: string }): Promise<Socket> {
  await new Promise((resolve) => raw.once('connect', resolve));
  raw.write(SSL_REQUEST);
  const answer = await new Promise<Buffer>((resolve) => raw.once('data', resolve));
  // Anything beside the one byte came before the handshake, so from whoever is in between.
  if (answer.length !== 1 || answer[0] !== CONSENT) {
    throw Object.assign(new Error('the server offers no TLS'), { code: 'ERR_TLS_NOT_OFFERED' });
  }
  return new Promise((resolve, reject) => {
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const secured = dialTls({ socket: raw, host, ...servername, ...tls, rejectUnauthorized: true });
    secured.once('secureConnect', () => resolve(secured));
    secured.once('error', reject);
  });
}

/** The state that the last bytes tell of when they end an answer. */
function stateAtEnd(tail: Buffer): TransactionState | undefined {
  if (tail.length < ANSWER_END_BYTES || !tail.subarray(0, -1).equals(READY)) return undefined;
  return TRANSACTION_STATES[String.fromCharCode(tail[READY.length] ?? 0)];
}

/** What the server said before it hung up: the text of a fatal ErrorResponse among the messages of a chunk. */
function lastWords(chunk: Buffer | undefined): string {
  let words = '';
  for (let at = 0; chunk !== undefined && at + 5 <= chunk.length; at += 1 + chunk.readUInt32BE(at + 1)) {
    if (chunk[at] !== ERROR_RESPONSE) continue;
    // A list of fields: a letter and a text, each ended by a zero byte.
    const fields = chunk
      .subarray(at + 5)
      .toString('utf8')
      .split('\0');
    const message = fields.find((field) => field.startsWith('M'));
    // After any other error the connection goes on.
    const isLast = fields.includes('VFATAL') || fields.includes('VPANIC');
    if (message !== undefined && isLast) words = `: ${message.slice(1)}`;
  }
  return words;
}

function lost(message: string): Error {
  return Object.assign(new Error(message), { code: 'ECONNRESET' });
}
