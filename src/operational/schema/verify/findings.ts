import type { HxError } from '../../../base/errors.js';
import type { SchemaDifference } from '../fingerprint/diff.js';
import type { Fingerprint, SchemaObject } from '../fingerprint/read.js';
import type { AppliedMigration } from '../ledger.js';

/** One thing about a database that is not as it should be, or that is worth knowing. */
export interface SchemaFinding {
  /** A note needs nothing done. */
  readonly severity: 'problem' | 'note';
  /** The object at fault, `index checks_created_at_idx`; null where it is the database or a file. */
  readonly object: string | null;
  readonly what: string;
  /** What to do about it. */
  readonly fix: string;
}

export function problem(what: string, fix: string, object: string | null = null): SchemaFinding {
  return { severity: 'problem', object, what, fix };
}

export function note(what: string, fix: string, object: string | null = null): SchemaFinding {
  return { severity: 'note', object, what, fix };
}

export function fromError({ message, hint }: HxError): SchemaFinding {
  return problem(message.replace(/\.$/, ''), hint ?? '');
}

/** What a schema shows by itself, without knowing how it should be. */
export function inspectSchema({ objects }: Fingerprint): SchemaFinding[] {
  return [
    ...objects.flatMap(inspectObject),
    ...objects.flatMap(inspectOwner),
    ...findUnguarded(objects),
    ...inspectIdentityGuard(objects),
  ];
}

function inspectObject({ kind, name, partOf, definition }: SchemaObject): SchemaFinding[] {
  const object = `${kind} ${name}`;
  const findings: SchemaFinding[] = [];
  if (definition['valid'] === false) {
    // The index behind a constraint has its name.
    const index = kind === 'constraint' ? name.slice(`${partOf}.`.length) : name;
    findings.push(problem('the index is INVALID', `reindex index concurrently ${index};`, object));
  }
  if (definition['validated'] === false) {
    const constraint = name.slice(`${partOf}.`.length);
    const fix = `alter table ${partOf} validate constraint ${constraint};`;
    findings.push(problem('the constraint is NOT VALID: old rows may break it', fix, object));
  }
  const own = name.slice(`${partOf}.`.length);
  if (kind === 'trigger' && own.startsWith('hx_') && definition['fires'] !== 'always') {
    const fix = `alter table ${partOf} enable always trigger ${own};`;
    findings.push(problem('a guard does not always fire', fix, object));
  }
  return findings;
}

/** Kinds of objects whose owner could change or remove what guards them. */
const OWNED: Readonly<Record<string, string>> = {
  schema: 'schema',
  table: 'table',
  view: 'view',
  function: 'function',
};

/** What another role than the owner of hx's objects owns, and that the database lets that owner make new ones. */
function inspectOwner({ kind, name, definition }: SchemaObject): SchemaFinding[] {
  const object = `${kind} ${name}`;
  if (kind === 'database') {
    const privileges = definition['privileges'];
    if (Array.isArray(privileges) && privileges.includes('hx_owner: create')) return [];
    const fix = 'As the owner of the database: grant create on database NAME to hx_owner;';
    return [problem('hx_owner may not make anything in it', fix, object)];
  }
  const owned = OWNED[kind];
  // The schema public is Postgres's own.
  if (owned === undefined || name === 'public' || definition['owner'] === 'hx_owner') return [];
  return [problem('it is not owned by hx_owner', `alter ${owned} ${name} owner to hx_owner;`, object)];
}

/** Tables of `public` that anybody may write to without declaring an environment. */
function findUnguarded(objects: readonly SchemaObject[]): SchemaFinding[] {
  const names = new Set(objects.map(({ kind, name }) => `${kind} ${name}`));
  // Only a name outside `public` has a dot that is not in quotes.
  const tables = objects.filter(({ kind, name }) => kind === 'table' && /^("[^"]+"|[^".]+)$/.test(name));
  return tables.flatMap(({ name }) => {
    const guarded = GUARDS.every((trigger) => names.has(`trigger ${name}.${trigger}`));
    const fix = `select hx.guard_table('${name.replaceAll("'", "''")}'); in a new migration`;
    return guarded ? [] : [problem('the table has no guard', fix, `table ${name}`)];
  });
}

/** Whether anybody could change whose database it is by a plain statement. */
function inspectIdentityGuard(objects: readonly SchemaObject[]): SchemaFinding[] {
  const table = 'hx.identity';
  if (!objects.some(({ kind, name }) => kind === 'table' && name === table)) return [];
  return ['hx_guard_identity', 'hx_guard_identity_truncate'].flatMap((trigger) => {
    if (objects.some(({ kind, name }) => kind === 'trigger' && name === `${table}.${trigger}`)) return [];
    const fix = `Make the trigger ${trigger} again, as migrations/0001_identity.sql does.`;
    return [problem('the identity has no guard', fix, `table ${table}`)];
  });
}

/** The triggers that hx.guard_table makes. */
const GUARDS = ['hx_guard_statement', 'hx_guard_insert', 'hx_guard_update', 'hx_guard_delete'];

const CHANGES = {
  missing: 'the migrations make it, but it is missing',
  extra: 'no migration makes it',
  changed: 'it is not as the migrations make it',
} as const;

/** Differences from what the migrations make, but for objects that another finding names already. */
export function differenceFindings(
  differences: readonly SchemaDifference[],
  found: readonly SchemaFinding[],
): SchemaFinding[] {
  const named = new Set(found.map(({ object }) => object));
  return differences.flatMap(({ change, kind, name, properties }) => {
    const object = `${kind} ${name}`;
    if (named.has(object)) return [];
    const which = properties.map(({ property }) => property).join(', ');
    const what = which === '' ? CHANGES[change] : `${CHANGES[change]}: ${which}`;
    return [problem(what, 'Undo it, or put it into a new migration; hx migrate diff shows both.', object)];
  });
}

/** Whether a schema is still the one that the last migration left. */
export function compareWithLedger(found: Fingerprint, last: AppliedMigration): SchemaFinding[] {
  if (last.fingerprintAfter === found.hash) return [];
  return [problem(`the schema is no longer as ${last.name} left it`, 'hx migrate diff names what differs')];
}
