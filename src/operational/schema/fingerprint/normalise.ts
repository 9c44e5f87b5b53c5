import type { JsonValue } from '../../../base/canonical.js';

/** A property that an object does not have is left out. */
export type Definition = { readonly [property: string]: JsonValue };

/** What the statements of sql/postgres/fingerprint/ answer with. */
export interface CatalogRow {
  readonly kind: string;
  readonly name: string;
  readonly part_of: string | null;
  readonly definition: { readonly [property: string]: JsonValue };
}

/** Stands for every role that is not one of ours: logins have other names on other servers. */
const OTHER_OWNER = 'session owner';

/** The letters of pg_catalog's access lists. */
const PRIVILEGES: Readonly<Record<string, string>> = {
  r: 'select',
  a: 'insert',
  w: 'update',
  d: 'delete',
  D: 'truncate',
  x: 'references',
  t: 'trigger',
  m: 'maintain',
  X: 'execute',
  U: 'usage',
  C: 'create',
  c: 'connect',
  T: 'temporary',
};

/** When something fires: pg_catalog's letters for triggers and rules. */
const FIRES: Readonly<Record<string, string>> = {
  O: 'enabled',
  D: 'disabled',
  R: 'on replicas',
  A: 'always',
};

/** Makes a row the same for two servers whose logins have other names. */
export function normalise(row: CatalogRow): {
  kind: string;
  name: string;
  partOf: string | null;
  definition: Definition;
} {
  const definition: Record<string, JsonValue> = {};
  for (const [property, value] of Object.entries(row.definition)) {
    const normal = normaliseProperty(property, value);
    if (normal !== null) definition[property] = normal;
  }
  const partOf = row.part_of === null ? null : shortName(row.part_of);
  return { kind: row.kind, name: shortName(row.name), partOf, definition };
}

function normaliseProperty(property: string, value: JsonValue): JsonValue {
  if (value === null) return null;
  if (property === 'owner') return ownerName(String(value));
  if (property === 'privileges') return readPrivileges(value as readonly (string | null)[]);
  if (property === 'fires') return FIRES[String(value)] ?? value;
  if (property === 'enforced by') return (value as readonly string[]).map((fires) => FIRES[fires] ?? fires);
  return value;
}

function ownerName(role: string): string {
  return role.startsWith('hx_') ? role : OTHER_OWNER;
}

/**
 * Reads an access list (`hx_app=arw/hx_owner`) as sorted words: `hx_app: insert`. Only our roles and PUBLIC count,
 * and a privilege that may be passed on says so.
 */
function readPrivileges(list: readonly (string | null)[]): JsonValue {
  const found = list.flatMap((item) => {
    const [, role, letters = ''] = /^(hx_\w*|)=([^/]*)\//.exec(item ?? '') ?? [];
    if (role === undefined) return [];
    return [...letters.matchAll(/(\w)(\*?)/g)].map(([, letter = '', passes]) => {
      const privilege = PRIVILEGES[letter] ?? letter;
      return `${role === '' ? 'PUBLIC' : role}: ${privilege}${passes === '' ? '' : ' with grant option'}`;
    });
  });
  // Where nobody of ours may do anything, an access list and none are the same.
  return found.length === 0 ? null : [...new Set(found)].sort();
}

function shortName(name: string): string {
  return name.startsWith('public.') ? name.slice('public.'.length) : name;
}
