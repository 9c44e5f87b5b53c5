import { readdir, readFile } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { HxError, systemCode } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
import { whyUnreadable } from '../base/text-file.js';
import { readYamlFile, YamlSyntaxError } from '../base/yaml-file.js';
import { type Bank, makeBank } from '../rpl/bank.js';
import { bankName } from '../rpl/bank-diff.js';

/** The bank that is used when none is named. */
export const DEFAULT_BANK = 'plain';

/** Where the banks that ship with hx are, and the file that pins the content of each of their versions. */
export function banksFolder(): string {
  return packagePath('data', 'banks');
}
export const SUM_FILE = 'banks.sum';

/**
 * Loads a prompt bank: by the name of a bank that ships with hx, or by the path of a YAML file.
 * @param folder what a relative path refers to.
 * @throws HxError `usage` when there is no such bank or it is malformed, `conflict` when its content is not the
 *   one that its id and version stand for.
 */
export async function loadBank(nameOrPath: string, folder: string): Promise<Bank> {
  const bank = await readBank(nameOrPath, folder);
  await refuseChanged(bank, isBankPath(nameOrPath));
  return bank;
}

/** The same without looking at what its id and version stand for. */
export async function readBank(nameOrPath: string, folder: string): Promise<Bank> {
  return makeBank(await readBankContent(nameOrPath, folder), nameOrPath);
}

/** The parsed YAML of a bank, unchecked. */
export async function readBankContent(nameOrPath: string, folder: string): Promise<unknown> {
  const given = isAbsolute(nameOrPath) ? nameOrPath : join(folder, nameOrPath);
  const path = isBankPath(nameOrPath) ? given : join(banksFolder(), `${nameOrPath}.yaml`);
  try {
    return (await readYamlFile(path)).content;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      throw new HxError('usage', `There is no prompt bank ${nameOrPath}.`, {
        hint: `Use one of ${(await shippedBanks()).join(', ')}, or give the path of a YAML file.`,
      });
    }
    const problems = error instanceof YamlSyntaxError ? error.problems : [whyUnreadable(error)];
    throw new HxError('usage', `Cannot read the prompt bank ${basename(path)}: ${problems.join('; ')}.`, {
      cause: error,
      hint: `hx bank lint ${nameOrPath}`,
      facts: { problems },
    });
  }
}

/** Whether a bank is given as a file of the user's, and not by the name of one that ships with hx. */
export function isBankPath(nameOrPath: string): boolean {
  return /[/\\]|\.ya?ml$/.test(nameOrPath);
}

/** The names of the banks that ship with hx. */
export async function shippedBanks(): Promise<string[]> {
  const files = await readdir(banksFolder());
  return files
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort();
}

/** Content hashes by `id@version`, as written down when each was released. */
export async function readBankSums(): Promise<Map<string, string>> {
  const text = await readFile(join(banksFolder(), SUM_FILE), 'utf8');
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
}

async function refuseChanged(bank: Bank, isFile: boolean): Promise<void> {
  const name = bankName(bank);
  const recorded = (await readBankSums()).get(name);
  if (recorded === bank.hash || (recorded === undefined && isFile)) return;
  if (recorded !== undefined) throw changedBank(name, recorded, bank.hash);
  throw new HxError('conflict', `The bank ${name} is not written down in ${SUM_FILE} yet.`, {
    hint: 'hx bank sum',
  });
}

/**
 * Refuses a bank under whose id and version something else was measured before.
 * @param measured another content hash that is stored under its name; undefined when there is none.
 * @throws HxError `conflict`.
 */
export function refuseOtherContent(bank: Bank, measured: string | undefined): void {
  if (measured !== undefined) throw changedBank(bankName(bank), measured, bank.hash);
}

/** A bank whose content is not the one that was measured with, or released, under its id and version. */
export function changedBank(name: string, recorded: string, found: string): HxError {
  return new HxError('conflict', `The bank ${name} was changed under its version.`, {
    hint: 'Give the changed bank a new version: measurements under one name must have asked the same questions.',
    facts: { recorded_hash: recorded, found_hash: found },
  });
}
