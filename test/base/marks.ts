import { newMark } from '../../src/base/process-mark.js';

/** The mark of a process of this machine that ended: beyond the highest process id that Linux gives, 4194304. */
export function deadMark(): string {
  const [machine, , start, random] = newMark().split('-');
  return [machine, 4_999_999, start, random].join('-');
}

/** The mark of a process on another machine. */
export function foreignMark(): string {
  return newMark().replace(/^[0-9a-f]{8}/, (machine) => (machine === '0badcafe' ? '0badcaff' : '0badcafe'));
}

/** The mark of a process of this machine whose number another process has now. */
export function reusedMark(): string {
  const [machine, pid, start, random] = newMark().split('-');
  return [machine, pid, Number(start) + 1, random].join('-');
}
