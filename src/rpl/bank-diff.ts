import type { Bank, Template } from './bank.js';

/** What became of a template. */
export interface TemplateChange {
  readonly template: string;
  readonly change: 'added' | 'removed' | 'reworded' | 'moved';
  /** Null when added. */
  readonly before: string | null;
  /** Null when removed. */
  readonly after: string | null;
}

export interface BankDiff {
  /** `id@version` of both. */
  readonly from: string;
  readonly to: string;
  readonly is_same_content: boolean;
  /** One id and version with two contents: measurements under that name cannot be compared. */
  readonly is_conflict: boolean;
  readonly system_changed: boolean;
  readonly answer_changed: boolean;
  readonly templates: readonly TemplateChange[];
  readonly unchanged: number;
}

/** Name and version of a bank as runs store it. */
export function bankName({ id, version }: Pick<Bank, 'id' | 'version'>): string {
  return `${id}@${version}`;
}

/** What changed from one bank to another, template by template id. A moved template changed its family. */
export function diffBanks(from: Bank, to: Bank): BankDiff {
  const before = new Map(from.templates.map((template) => [template.id, template]));
  const after = new Map(to.templates.map((template) => [template.id, template]));
  const ids = [...new Set([...before.keys(), ...after.keys()])];
  const templates = ids.flatMap((id) => changeOf(before.get(id), after.get(id)));
  const isSame = from.hash === to.hash;
  return {
    from: bankName(from),
    to: bankName(to),
    is_same_content: isSame,
    is_conflict: !isSame && bankName(from) === bankName(to),
    system_changed: from.system !== to.system,
    answer_changed: from.answer !== to.answer,
    templates,
    unchanged: ids.length - templates.length,
  };
}

function changeOf(before: Template | undefined, after: Template | undefined): TemplateChange[] {
  const texts = { before: before?.text ?? null, after: after?.text ?? null };
  if (before === undefined)
    return after === undefined ? [] : [{ template: after.id, change: 'added', ...texts }];
  if (after === undefined) return [{ template: before.id, change: 'removed', ...texts }];
  if (before.text !== after.text) return [{ template: after.id, change: 'reworded', ...texts }];
  if (before.family === after.family) return [];
  return [{ template: after.id, change: 'moved', before: before.family, after: after.family }];
}
