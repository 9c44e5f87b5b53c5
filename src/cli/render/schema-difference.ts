import type { SchemaDifference } from '../../handlers/migrate-diff.js';
import { escapeControls } from './escape.js';
import type { Paint } from './style.js';

type Property = SchemaDifference['properties'][number];

const COLOURS = { missing: 'red', extra: 'yellow', changed: 'cyan' } as const;
/** A value that is longer is cut: a view's query, a comment. */
const LONGEST_VALUE = 80;

/** One differing object as a line: `changed  index checks_created_at_idx  valid: true -> false`. */
export function renderDifference(difference: SchemaDifference, paint: Paint): string {
  const { change, kind, name, properties } = difference;
  const head = `${paint(COLOURS[change], change.padEnd(7))}  ${kind} ${escapeControls(name)}`;
  const changes = describeChanges(properties);
  return changes === '' ? head : `${head}  ${changes}`;
}

/** What changed in an object, in words; empty when nothing did. */
export function describeChanges(properties: readonly Property[]): string {
  return escapeControls(properties.map(describeChange).join('; '));
}

function describeChange({ property, before, after }: Property): string {
  if (isList(before) && isList(after)) return `${property}: ${describeList(before ?? [], after ?? [])}`;
  const lines = differingLines(before, after);
  if (lines === undefined) return `${property}: ${valueText(before)} -> ${valueText(after)}`;
  return `${property}, line ${lines.line}: ${valueText(lines.before)} -> ${valueText(lines.after)}`;
}

type Value = Property['before'];

function isList(value: Value): value is readonly Value[] | null {
  return value === null || Array.isArray(value);
}

function describeList(before: readonly Value[], after: readonly Value[]): string {
  const [old, now] = [before.map(valueText), after.map(valueText)];
  const gone = old.filter((item) => !now.includes(item)).map((item) => `-${item}`);
  const come = now.filter((item) => !old.includes(item)).map((item) => `+${item}`);
  if (gone.length + come.length === 0) return `(${old.join(', ')}) -> (${now.join(', ')})`;
  return [...gone, ...come].join(', ');
}

/** The first line in which two texts of several lines differ. */
function differingLines(before: Value, after: Value) {
  if (typeof before !== 'string' || typeof after !== 'string') return undefined;
  const [old, now] = [before.split('\n'), after.split('\n')];
  if (old.length === 1 && now.length === 1) return undefined;
  const index = old.findIndex((line, at) => line !== now[at]);
  const line = index === -1 ? old.length : index;
  return { line: line + 1, before: old[line]?.trim() ?? null, after: now[line]?.trim() ?? null };
}

function valueText(value: Value): string {
  if (value === null) return 'none';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}...` : text;
}
