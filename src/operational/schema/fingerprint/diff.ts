import { canonicalJson, type JsonValue } from '../../../base/canonical.js';
import type { Fingerprint, SchemaObject } from './read.js';

/** One property that an object has in both schemas, and not the same; null where it has none. */
export interface PropertyDifference {
  readonly property: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
}

/** One object that two schemas do not share. */
export interface SchemaDifference {
  /** `missing` from the second schema, `extra` in it, or there but `changed`. */
  readonly change: 'missing' | 'extra' | 'changed';
  readonly kind: string;
  readonly name: string;
  /** What changed; empty unless it did. */
  readonly properties: readonly PropertyDifference[];
}

/**
 * Names every object in which the second schema differs from the first. What goes with a table that is missing or
 * extra as a whole is not named again.
 */
export function diffFingerprints(before: Fingerprint, after: Fingerprint): SchemaDifference[] {
  if (before.hash === after.hash) return [];
  const found = [...pairs(before, after)].flatMap(([one, other]) => compare(one, other) ?? []);
  const wholes = new Set(
    found.flatMap(({ change, object }) =>
      change === 'changed' || object.partOf !== null ? [] : [`${change} ${object.name}`],
    ),
  );
  return found.flatMap(({ change, object, other, properties }) => {
    const gone = wholes.has(`${change} ${object.partOf}`);
    const moved = wholes.has(`missing ${object.partOf}`) && wholes.has(`extra ${other?.partOf}`);
    return gone || moved ? [] : [{ change, kind: object.kind, name: object.name, properties }];
  });
}

interface Found {
  readonly change: SchemaDifference['change'];
  readonly object: SchemaObject;
  readonly other: SchemaObject | undefined;
  readonly properties: readonly PropertyDifference[];
}

type Pair = readonly [SchemaObject | undefined, SchemaObject | undefined];

/** The objects of both schemas by kind and name, in that order. */
function pairs(before: Fingerprint, after: Fingerprint): Iterable<Pair> {
  const keyOf = ({ kind, name }: SchemaObject) => `${kind}\0${name}`;
  const others = new Map(after.objects.map((object) => [keyOf(object), object]));
  const keys = new Map<string, Pair>();
  for (const object of before.objects) keys.set(keyOf(object), [object, others.get(keyOf(object))]);
  for (const [key, object] of others) if (!keys.has(key)) keys.set(key, [undefined, object]);
  return [...keys].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pair]) => pair);
}

function compare(one: SchemaObject | undefined, other: SchemaObject | undefined): Found | undefined {
  if (one === undefined) {
    return other === undefined
      ? undefined
      : { change: 'extra', object: other, other: undefined, properties: [] };
  }
  if (other === undefined) return { change: 'missing', object: one, other, properties: [] };
  if (one.hash === other.hash) return undefined;
  const properties = differentProperties(one, other);
  // A table whose columns differ is told by its columns.
  return properties.length === 0 ? undefined : { change: 'changed', object: one, other, properties };
}

function differentProperties(one: SchemaObject, other: SchemaObject): PropertyDifference[] {
  const names = new Set([...Object.keys(one.definition), ...Object.keys(other.definition)]);
  return [...names].sort().flatMap((property) => {
    const before = one.definition[property] ?? null;
    const after = other.definition[property] ?? null;
    const same =
      property === 'columns' && Array.isArray(before) && Array.isArray(after)
        ? inSameOrder(before, after)
        : canonicalJson(before) === canonicalJson(after);
    return same ? [] : [{ property, before, after }];
  });
}

/** Whether what two lists share stands in the same order in both. */
function inSameOrder(one: readonly JsonValue[], other: readonly JsonValue[]): boolean {
  const shared = (list: readonly JsonValue[], rest: readonly JsonValue[]) =>
    list.filter((item) => rest.includes(item));
  return canonicalJson(shared(one, other)) === canonicalJson(shared(other, one));
}
