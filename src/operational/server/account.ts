import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HxError } from '../../base/errors.js';

/** Another account than ours that runs the server. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** In this order: the account that a distribution keeps for Postgres, then the one without any rights. */
const ACCOUNT_NAMES = ['postgres', 'nobody'];

/**
 * The account that must run the server: undefined, meaning our own, unless we are root, which Postgres refuses.
 * @throws HxError `configuration` when the machine has no account to step down to.
 */
export function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const entries = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const wanted of ACCOUNT_NAMES) {
    for (const entry of entries) {
      const [name, , uid, gid] = entry.split(':');
      if (name === wanted && Number(uid) > 0) return { name, uid: Number(uid), gid: Number(gid) };
    }
  }
  throw new HxError('configuration', 'Postgres refuses to run as root, and there is no other account.', {
    hint: `Add an account named ${ACCOUNT_NAMES.join(' or ')}, or run hx as an ordinary user.`,
  });
}

/**
 * Whether an account may enter every folder above a path and read the path itself (and enter it, when it is a
 * folder). Permission bits decide; without an account the question is about ourselves.
 */
export function canReach(path: string, account: Account | undefined): boolean {
  try {
    if (account === undefined) {
      accessSync(path, constants.R_OK);
      return true;
    }
    const target = statSync(path);
    if (!allows(target, account, target.isDirectory() ? 0o5 : 0o4)) return false;
    return canEnter(dirname(resolve(path)), account);
  } catch {
    return false;
  }
}

/** Whether an account may enter a folder and every folder above it. */
export function canEnter(folder: string, account: Account | undefined): boolean {
  if (account === undefined) return true;
  for (let current = resolve(folder); ; current = dirname(current)) {
    if (!allows(statSync(current), account, 0o1)) return false;
    if (current === dirname(current)) return true;
  }
}

function allows(
  stat: { readonly mode: number; readonly uid: number; readonly gid: number },
  account: Account,
  bits: number,
): boolean {
  const shift = stat.uid === account.uid ? 6 : stat.gid === account.gid ? 3 : 0;
  return ((stat.mode >> shift) & bits) === bits;
}
