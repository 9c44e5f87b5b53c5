/** The rules of `hx migrate lint` by name, as a header `-- hx: allow=NAME reason=...` writes them. */
export const RULE_NAMES = [
  'add-check-without-not-valid',
  'add-column-not-null-without-default',
  'add-column-volatile-default',
  'add-exclusion-constraint',
  'add-foreign-key-without-not-valid',
  'add-index-constraint',
  'alter-column-type',
  'alter-enum-in-transaction',
  'change-data',
  'concurrently-if-not-exists',
  'concurrently-in-transaction',
  'create-extension',
  'create-index-not-concurrently',
  'create-trigger-on-existing-table',
  'drop-cascade',
  'drop-column',
  'drop-index-not-concurrently',
  'drop-table',
  'grant-to-public',
  'integer-primary-key',
  'json-column',
  'lock-table',
  'missing-guard',
  'refresh-not-concurrently',
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
  'unused-waiver',
] as const;

export type RuleName = (typeof RULE_NAMES)[number];

export function isRuleName(name: string): name is RuleName {
  return (RULE_NAMES as readonly string[]).includes(name);
}
