import { Command, Option } from 'clipanion';
import type { BankSummary } from '../../handlers/bank.js';
import type { Bank } from '../../rpl/bank.js';
import type { BankDiff, TemplateChange } from '../../rpl/bank-diff.js';
import { HxCommand } from '../base.js';
import type { Paint } from '../render/style.js';

const BANK = { name: 'NAME|FILE' };

export class BankListCommand extends HxCommand {
  static override paths = [['bank', 'list']];
  static override usage = Command.Usage({
    details:
      'A bank is a set of wordings of the question. --bank takes its name, or the path of a YAML file.',
    examples: [['The banks that ship with hx', 'hx bank list']],
  });

  async execute(): Promise<void> {
    const banks = await this.invoke('bankList', {});
    if (this.json) this.printJson(banks);
    else this.print(banks.map((bank) => renderSummary(bank, this.paint)).join('\n'));
  }
}

export class BankShowCommand extends HxCommand {
  static override paths = [['bank', 'show']];
  static override usage = Command.Usage({
    examples: [['Every wording of a bank', 'hx bank show wide']],
  });

  bank = Option.String(BANK);

  async execute(): Promise<void> {
    const bank = await this.invoke('bankShow', { bank: this.bank });
    if (this.json) this.printJson(bank);
    else this.print(renderBank(bank, this.paint));
  }
}

export class BankLintCommand extends HxCommand {
  static override paths = [['bank', 'lint']];
  static override usage = Command.Usage({
    details:
      'Errors make a bank unusable, warnings cost it quality: few templates, alike or leading wordings. Exit code 1 ' +
      'with an error.',
    examples: [['Before using your own', 'hx bank lint my-bank.yaml']],
  });

  bank = Option.String(BANK);

  async execute(): Promise<number> {
    const { name, bank, findings } = await this.invoke('bankLint', { bank: this.bank });
    if (this.json) this.printJson({ name, bank, findings });
    else if (findings.length === 0) this.print(`${bank ?? name}: nothing to mend`);
    else {
      for (const { severity, template, problem } of findings) {
        const label = this.paint(severity === 'error' ? 'red' : 'yellow', severity);
        this.print(`${label}  ${template === null ? '' : `${template}: `}${problem}`);
      }
    }
    return findings.some(({ severity }) => severity === 'error') ? 1 : 0;
  }
}

export class BankDiffCommand extends HxCommand {
  static override paths = [['bank', 'diff']];
  static override usage = Command.Usage({
    details: 'Exit code 1 when both have the same id and version but not the same content.',
    examples: [['Your own against the default', 'hx bank diff plain my-bank.yaml']],
  });

  from = Option.String({ name: 'FROM' });
  to = Option.String({ name: 'TO' });

  async execute(): Promise<number> {
    const diff = await this.invoke('bankDiff', { from: this.from, to: this.to });
    if (this.json) this.printJson(diff);
    else this.print(renderDiff(diff, this.paint));
    return diff.is_conflict ? 1 : 0;
  }
}

export class BankSumCommand extends HxCommand {
  static override paths = [['bank', 'sum']];
  static override usage = Command.Usage({
    details:
      'For those who work on hx. Lines that are there already never change: a changed bank gets a new version.',
    examples: [['After adding a bank or a version', 'hx bank sum']],
  });

  async execute(): Promise<void> {
    const result = await this.invoke('bankSum', {});
    if (this.json) this.printJson(result);
    else if (result.added.length === 0) this.print('banks.sum is up to date');
    else for (const name of result.added) this.print(`written down: ${name}`);
  }
}

function renderSummary(
  { name, bank, is_default, templates, families, bank_hash }: BankSummary,
  paint: Paint,
): string {
  const counts = Object.entries(families).map(([family, count]) => `${family} ${count}`);
  return [
    `${paint('bold', name)}  ${bank}, ${templates} templates${is_default ? ', the default' : ''}`,
    `   ${counts.join(', ')}`,
    paint('dim', `   ${bank_hash}`),
  ].join('\n');
}

function renderBank(bank: Bank, paint: Paint): string {
  const indent = (text: string) => text.trim().replace(/^(?=.)/gm, '   ');
  return [
    `${paint('bold', `${bank.id}@${bank.version}`)}  ${bank.templates.length} templates, answer ${bank.answer}`,
    paint('dim', bank.hash),
    paint('bold', 'system'),
    indent(bank.system),
    ...bank.templates.flatMap(({ id, family, text }) => [`${paint('bold', id)}  (${family})`, indent(text)]),
  ].join('\n');
}

function renderDiff(diff: BankDiff, paint: Paint): string {
  if (diff.is_same_content) return `${diff.from} and ${diff.to} have the same content`;
  const lines = [`${diff.from} -> ${diff.to}`];
  if (diff.is_conflict) lines.push(paint('red', 'changed under its version: give it a new one'));
  if (diff.system_changed) lines.push('system text changed');
  if (diff.answer_changed) lines.push('answer schema changed');
  lines.push(...diff.templates.flatMap((change) => renderChange(change, paint)));
  lines.push(`${diff.unchanged} templates unchanged`);
  return lines.join('\n');
}

function renderChange({ template, change, before, after }: TemplateChange, paint: Paint): string[] {
  const side = (sign: string, colour: 'red' | 'green', text: string | null) =>
    text === null ? [] : text.split('\n').map((line) => paint(colour, `   ${sign} ${line}`));
  return [`${change}  ${template}`, ...side('-', 'red', before), ...side('+', 'green', after)];
}
