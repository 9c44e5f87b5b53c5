import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import * as assert from 'uvu/assert';
import { loadSettings, type Settings } from '../src/base/config.js';
import { HxError } from '../src/base/errors.js';
import { runCli } from '../src/cli/main.js';

export { connectTo, createTestDatabase, type TestDatabase } from './database.js';

/** Folders made by this process; whatever a test left behind goes when the process ends. */
const folders = new Set<string>();
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A fresh folder under the system's temporary one, removed when the process ends or by `removeFolder`. */
export function makeTempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hx-test-'));
  // As root, an embedded Postgres runs under another account, which has to get in.
  chmodSync(folder, 0o755);
  folders.add(folder);
  return folder;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

/** Settings from these variables alone: neither the process environment nor a `.env` file counts. */
export function makeTestSettings(
  variables: Readonly<Record<string, string | undefined>> & { readonly dataDir?: string } = {},
): Settings {
  const { dataDir, ...rest } = variables;
  const folder = dataDir ?? makeTempFolder();
  return loadSettings({ variables: { HX_DATA_DIR: folder, ...rest }, folder });
}

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliRunOptions {
  /** The whole environment of the run. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  /** Where `.env` files and relative paths refer to; a fresh folder by default. */
  readonly folder?: string;
  readonly signal?: AbortSignal;
}

/** Runs one command line in this process with in-memory streams, none of them a terminal. */
export async function runHx(argv: string[], options: CliRunOptions = {}): Promise<CliRun> {
  const stdout = capture();
  const stderr = capture();
  const exitCode = await runCli(argv, {
    env: { ...options.env },
    stdin: Readable.from(options.stdin === undefined ? [] : [options.stdin]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    colorDepth: 1,
    folder: options.folder ?? makeTempFolder(),
    signal: options.signal ?? new AbortController().signal,
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

function capture(): { stream: Writable; text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') };
}

/** Asserts that work fails with an error of ours, and returns it. */
export async function failureOf(work: Promise<unknown>): Promise<HxError> {
  const thrown = await work.then(
    () => assert.unreachable('it did not fail'),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof HxError, String(thrown));
  return thrown;
}

/** Asserts that work fails with an error of ours: its code, its words and, where given, its hint. */
export async function fails(
  work: Promise<unknown>,
  code: string,
  words: RegExp,
  hint?: RegExp,
): Promise<void> {
  const error = await failureOf(work);
  assert.is(error.code, code, error.message);
  assert.match(error.message, words);
  if (hint !== undefined) assert.match(error.hint ?? '', hint);
}
