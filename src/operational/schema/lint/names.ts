/** The rules of `hx migrate lint` by name, as a header `-- hx: allow=NAME reason=...` writes them. */
export const RULE_NAMES = [
  'add-check-without-not-valid',
  'add-column-not-null-without-default',
  'add-column-volatile-default',
  'add-exclusion-constraint',
  'add-foreign-key-without-not-valid',
  'add-index-constraint',
  'alter-column-type',
  'backfill-under-lock',
  'concurrently-if-not-exists',
  'create-extension',
  'create-index-not-concurrently',
  'drop-cascade',
  'drop-column',
  'drop-index-not-concurrently',
  'drop-table',
  'grant-to-public',
  'hidden-in-do-block',
  'integer-primary-key',
  'json-column',
  'lock-table',
  'missing-guard',
  'refresh-not-concurrently',
  'refused-in-transaction',
  'reindex-not-concurrently',
  'rename-column',
  'rename-table',
  'rewrite-table',
  'serial-column',
  'session-setting',
  'set-not-null-without-check',
  'timestamp-without-time-zone',
  'transaction-control',
  'truncate',
  'update-without-where',
  'validate-under-lock',
  'weaken-guard',
] as const;

export type RuleName = (typeof RULE_NAMES)[number];

export function isRuleName(name: string): name is RuleName {
  return (RULE_NAMES as readonly string[]).includes(name);
}
