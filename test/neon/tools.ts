import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** Where Debian puts servers, which the PATH of an ordinary user leaves out. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];

/**
 * The path of a program that the bench needs.
 * @throws Error saying how to install it: without it nothing would be tested, which must not pass for a success.
 */
export function findTool(name: string, packageName = name): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SERVER_FOLDERS];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  throw new Error(`These tests need ${name}: apt-get install ${packageName}`);
}

export async function runTool(name: string, args: readonly string[], packageName = name): Promise<void> {
  await promisify(execFile)(findTool(name, packageName), [...args]);
}
