import { readFile } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { HxError, messageOf, systemCode } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
import { type Bank, makeBank } from '../rpl/bank.js';

/** The bank that is used when none is named. */
export const DEFAULT_BANK = 'plain';

/**
 * Loads a prompt bank: by the name of a bank that ships with hx, or by the path of a YAML file.
 * @param folder what a relative path refers to.
 * @throws HxError `usage` when there is no such bank or it is malformed.
 */
export async function loadBank(nameOrPath: string, folder: string): Promise<Bank> {
  const isPath = /[/\\]|\.ya?ml$/.test(nameOrPath);
  const given = isAbsolute(nameOrPath) ? nameOrPath : join(folder, nameOrPath);
  const path = isPath ? given : packagePath('data', 'banks', `${nameOrPath}.yaml`);
  const { parse } = await import('yaml');
  let content: unknown;
  try {
    content = parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      throw new HxError('usage', `There is no prompt bank ${nameOrPath}.`, {
        hint: `Use ${DEFAULT_BANK}, or give the path of a YAML file.`,
      });
    }
    throw new HxError('usage', `Cannot read the prompt bank ${basename(path)}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return makeBank(content, nameOrPath);
}
