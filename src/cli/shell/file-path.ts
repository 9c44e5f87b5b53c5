import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** An absolute path for a name as it was typed: `~/` is the home folder, as a command line has it. */
export function typedPath(folder: string, name: string): string {
  if (name === '~' || name.startsWith('~/')) return join(homedir(), name.slice(1));
  return isAbsolute(name) ? name : join(folder, name);
}
