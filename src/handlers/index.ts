import type { Context } from './context.js';
import { type Handler, runHandler } from './handler.js';

/** Every handler by name, each loaded when it is first called. */
export const HANDLERS = {
  doctor: async () => (await import('./doctor.js')).doctor,
  check: async () => (await import('./check.js')).check,
  checkModels: async () => (await import('./check-models.js')).checkModels,
  checkGet: async () => (await import('./check.js')).checkGet,
  ready: async () => (await import('./ready.js')).ready,
  research: async () => (await import('./sweep.js')).research,
  dryRun: async () => (await import('./dry-run.js')).dryRun,
  estimate: async () => (await import('./estimate.js')).estimate,
  models: async () => (await import('./models.js')).models,
  explain: async () => (await import('./explain.js')).explain,
  explainEstimate: async () => (await import('./explain.js')).explainEstimate,
  planWidth: async () => (await import('./plan-width.js')).planWidth,
  bankList: async () => (await import('./bank.js')).bankList,
  bankShow: async () => (await import('./bank.js')).bankShow,
  bankLint: async () => (await import('./bank.js')).bankLint,
  bankDiff: async () => (await import('./bank.js')).bankDiff,
  bankSum: async () => (await import('./bank.js')).bankSum,
  exportVerify: async () => (await import('./export-verify.js')).exportVerify,
  exportResearch: async () => (await import('./export-research.js')).exportResearch,
  exportChecks: async () => (await import('./export-checks.js')).exportChecks,
  exportCompact: async () => (await import('./export-compact.js')).exportCompact,
  dbUp: async () => (await import('./db.js')).dbUp,
  dbDown: async () => (await import('./db.js')).dbDown,
  dbStatus: async () => (await import('./db.js')).dbStatus,
  dbReset: async () => (await import('./db.js')).dbReset,
  dbUrl: async () => (await import('./db.js')).dbUrl,
  dbClaim: async () => (await import('./db.js')).dbClaim,
  dbDump: async () => (await import('./db-dump.js')).dbDump,
  dbAccess: async () => (await import('./db-psql.js')).dbAccess,
  dbSession: async () => (await import('./db-psql.js')).dbSession,
  dbRestore: async () => (await import('./db-dump.js')).dbRestore,
  migrate: async () => (await import('./migrate.js')).migrate,
  migrateStatus: async () => (await import('./migrate.js')).migrateStatus,
  migrateBaseline: async () => (await import('./migrate-repair.js')).migrateBaseline,
  migrateRepair: async () => (await import('./migrate-repair.js')).migrateRepair,
  migratePlan: async () => (await import('./migrate.js')).migratePlan,
  migrateLint: async () => (await import('./migration-files.js')).migrateLint,
  migrateRules: async () => (await import('./migration-files.js')).migrateRules,
  migrateNew: async () => (await import('./migration-files.js')).migrateNew,
  migrateSum: async () => (await import('./migration-files.js')).migrateSum,
  migrateVerify: async () => (await import('./migrate-verify.js')).migrateVerify,
  migrateDiff: async () => (await import('./migrate-diff.js')).migrateDiff,
  query: async () => (await import('./query.js')).query,
  queryList: async () => (await import('./query.js')).queryList,
  querySession: async () => (await import('./query-session.js')).querySession,
};

export type HandlerName = keyof typeof HANDLERS;

export type InputOf<Name extends HandlerName> =
  Awaited<ReturnType<(typeof HANDLERS)[Name]>> extends Handler<infer Input, infer _Result> ? Input : never;

export type ResultOf<Name extends HandlerName> =
  Awaited<ReturnType<(typeof HANDLERS)[Name]>> extends Handler<infer _Input, infer Result> ? Result : never;

/**
 * Loads a handler, validates its input and runs it.
 * @throws HxError `usage` for input that does not fit, and whatever the handler throws.
 */
export async function invoke<Name extends HandlerName>(
  name: Name,
  input: unknown,
  context: Context,
): Promise<ResultOf<Name>> {
  const handler = (await HANDLERS[name]()) as unknown as Handler<unknown, ResultOf<Name>>;
  return runHandler(handler, input, context);
}
