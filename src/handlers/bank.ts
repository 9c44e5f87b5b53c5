import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as t from 'typanion';
import { HxError } from '../base/errors.js';
import type { Bank } from '../rpl/bank.js';
import { type BankDiff, bankName, diffBanks } from '../rpl/bank-diff.js';
import { type BankFinding, lintBank } from '../rpl/bank-lint.js';
import {
  banksFolder,
  changedBank,
  DEFAULT_BANK,
  loadBank,
  readBank,
  readBankSums,
  SUM_FILE,
  shippedBanks,
} from './banks.js';
import { defineHandler } from './handler.js';

/** A bank in short. */
export interface BankSummary {
  /** By which --bank takes it. */
  readonly name: string;
  readonly bank: string;
  readonly is_default: boolean;
  readonly templates: number;
  readonly families: Readonly<Record<string, number>>;
  readonly bank_hash: string;
}

export interface BankLint {
  readonly name: string;
  /** Null when it is too malformed to have one. */
  readonly bank: string | null;
  readonly findings: readonly BankFinding[];
}

/** The banks that ship with hx. */
export const bankList = defineHandler({
  name: 'bank list',
  input: t.isObject({}),
  async run(_input, { settings }): Promise<BankSummary[]> {
    const names = await shippedBanks();
    return Promise.all(
      names.map(async (name) => {
        const bank = await loadBank(name, settings.folder);
        const families: Record<string, number> = {};
        for (const { family } of bank.templates) families[family] = (families[family] ?? 0) + 1;
        return {
          name,
          bank: bankName(bank),
          is_default: name === DEFAULT_BANK,
          templates: bank.templates.length,
          families,
          bank_hash: bank.hash,
        };
      }),
    );
  },
});

/** One bank with every wording. */
export const bankShow = defineHandler({
  name: 'bank show',
  input: t.isObject({ bank: t.isString() }),
  run: ({ bank }, { settings }): Promise<Bank> => loadBank(bank, settings.folder),
});

/** What is wrong with a bank and what could be better; a malformed bank is a finding, not an error. */
export const bankLint = defineHandler({
  name: 'bank lint',
  input: t.isObject({ bank: t.isString() }),
  async run({ bank: name }, { settings }): Promise<BankLint> {
    let bank: Bank;
    try {
      bank = await readBank(name, settings.folder);
    } catch (error) {
      const problems = error instanceof HxError ? error.facts?.['problems'] : undefined;
      if (!Array.isArray(problems)) throw error;
      return { name, bank: null, findings: problems.map((problem) => asError(String(problem))) };
    }
    const recorded = (await readBankSums()).get(bankName(bank));
    const changed = recorded !== undefined && recorded !== bank.hash;
    const findings = lintBank(bank);
    if (changed) findings.unshift(asError(`the content of ${bankName(bank)} is not the released one`));
    return { name, bank: bankName(bank), findings };
  },
});

function asError(problem: string): BankFinding {
  return { severity: 'error', template: null, problem };
}

/** What changed between two banks. */
export const bankDiff = defineHandler({
  name: 'bank diff',
  input: t.isObject({ from: t.isString(), to: t.isString() }),
  async run({ from, to }, { settings: { folder } }): Promise<BankDiff> {
    return diffBanks(await readBank(from, folder), await readBank(to, folder));
  },
});

/** Writes down new versions of the banks that ship with hx. Lines that are there already never change. */
export const bankSum = defineHandler({
  name: 'bank sum',
  input: t.isObject({}),
  async run(_input, { settings }): Promise<{ file: string; added: string[] }> {
    const sums = await readBankSums();
    const added: string[] = [];
    for (const name of await shippedBanks()) {
      const bank = await readBank(name, settings.folder);
      const recorded = sums.get(bankName(bank));
      if (recorded !== undefined && recorded !== bank.hash)
        throw changedBank(bankName(bank), recorded, bank.hash);
      if (recorded === undefined) added.push(bankName(bank));
      sums.set(bankName(bank), bank.hash);
    }
    const file = join(banksFolder(), SUM_FILE);
    const lines = [...sums].map(([name, hash]) => `${name} ${hash}\n`);
    if (added.length > 0) await writeFile(file, lines.join(''));
    return { file, added };
  },
});
