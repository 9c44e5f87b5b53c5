import type { RuleName } from '../names.js';
import type { Rule } from '../rule.js';
import * as columns from './columns.js';
import * as constraints from './constraints.js';
import * as data from './data.js';
import * as indexes from './indexes.js';
import * as rights from './rights.js';
import * as session from './session.js';
import * as tables from './tables.js';
import * as types from './types.js';

/** Every rule by its name. */
export const RULES: Readonly<Record<RuleName, Rule>> = {
  'add-check-without-not-valid': constraints.addCheckWithoutNotValid,
  'add-column-not-null-without-default': columns.addColumnNotNullWithoutDefault,
  'add-column-volatile-default': columns.addColumnVolatileDefault,
  'add-exclusion-constraint': constraints.addExclusionConstraint,
  'add-foreign-key-without-not-valid': constraints.addForeignKeyWithoutNotValid,
  'add-index-constraint': constraints.addIndexConstraint,
  'alter-column-type': columns.alterColumnType,
  'backfill-under-lock': data.backfillUnderLock,
  'concurrently-if-not-exists': indexes.concurrentlyIfNotExists,
  'create-extension': rights.createExtension,
  'create-index-not-concurrently': indexes.createIndexNotConcurrently,
  'drop-cascade': tables.dropCascade,
  'drop-column': columns.dropColumn,
  'drop-index-not-concurrently': indexes.dropIndexNotConcurrently,
  'drop-table': tables.dropTable,
  'grant-to-public': rights.grantToPublic,
  'hidden-in-do-block': session.hiddenInDoBlock,
  'integer-primary-key': types.integerPrimaryKey,
  'json-column': types.jsonColumn,
  'lock-table': tables.lockTable,
  'missing-guard': rights.missingGuard,
  'refresh-not-concurrently': tables.refreshNotConcurrently,
  'refused-in-transaction': session.refusedInTransaction,
  'reindex-not-concurrently': indexes.reindexNotConcurrently,
  'rename-column': columns.renameColumn,
  'rename-table': tables.renameTable,
  'rewrite-table': tables.rewriteTable,
  'serial-column': types.serialColumn,
  'session-setting': session.sessionSetting,
  'set-not-null-without-check': columns.setNotNullWithoutCheck,
  'timestamp-without-time-zone': types.timestampWithoutTimeZone,
  'transaction-control': session.transactionControl,
  truncate: tables.truncate,
  'update-without-where': data.updateWithoutWhere,
  'validate-under-lock': constraints.validateUnderLock,
  'weaken-guard': rights.weakenGuard,
};
