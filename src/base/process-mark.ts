import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import process from 'node:process';
import { systemCode } from './errors.js';

/**
 * What the name of a file or folder says of the process that writes it, as a pattern: its machine, its process id,
 * when that process began, and eight random digits (`5f0c9a1e-4711-884213-09ab34cd`).
 */
export const MARK_PATTERN = '[0-9a-f]{8}-[1-9][0-9]*-[0-9]+-[0-9a-f]{8}';

/** A new mark of this process; no two are the same. */
export function newMark(): string {
  own ??= [machine(), process.pid, statOf(process.pid)?.start ?? UNKNOWN_START].join('-');
  return `${own}-${randomBytes(4).toString('hex')}`;
}

/** Whether the process that made a mark runs; `unknown` where another machine made it, or this one before it was started anew. */
export function writerOf(mark: string): 'alive' | 'dead' | 'unknown' {
  const [where, pid, start = UNKNOWN_START] = mark.split('-');
  if (where !== machine()) return 'unknown';
  if (!isAlive(Number(pid))) return 'dead';
  const present = statOf(Number(pid))?.start ?? UNKNOWN_START;
  // The system may have given a dead process's number to another one.
  return start === UNKNOWN_START || present === UNKNOWN_START || start === present ? 'alive' : 'dead';
}

/** The process id in a mark. */
export function processIdOf(mark: string): number {
  return Number(mark.split('-')[1]);
}

/** Whether a process of this machine runs. One that ended but was never collected (a container without an init) does not. */
export function isAlive(pid: number): boolean {
  return isThere(pid) && statOf(pid)?.state !== 'Z';
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

const UNKNOWN_START = '0';

/** The places of a process's state and of its start, in ticks since the machine began, behind its name. */
const [STATE_AT, START_AT] = [0, 19];

/** What Linux says of a process; undefined elsewhere, and where it does not tell. */
function statOf(pid: number): { state: string; start: string } | undefined {
  const text = textOf(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  if (text === undefined) return undefined;
  // The program's name is in parentheses and may hold anything.
  const fields = text.slice(text.lastIndexOf(') ') + 2).split(' ');
  return { state: fields[STATE_AT] ?? '', start: fields[START_AT] ?? UNKNOWN_START };
}

/** What never changes in a process, and takes several reads to tell. */
let own: string | undefined;
let here: string | undefined;

/**
 * Eight hex digits of what process ids and starts are counted in: this machine since it was started, and the container
 * in it. Several may share a disk, and a name.
 */
function machine(): string {
  here ??= createHash('sha256')
    .update(
      JSON.stringify([
        hostname(),
        textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')) ?? cardAddresses(),
        textOf(() => readlinkSync('/proc/self/ns/pid')),
        textOf(() => readlinkSync('/proc/self/ns/time')),
      ]),
    )
    .digest('hex')
    .slice(0, 8);
  return here;
}

function cardAddresses(): string[] {
  const cards = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return [...new Set(cards.map(({ mac }) => mac))].sort();
}

/** Linux alone has /proc, and may hide parts of it. */
function textOf(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
