import type { CommandClass } from 'clipanion';
import type { CliContext } from '../context.js';

/** Categories in the order in which a newcomer needs them. */
export const CATEGORIES = ['Start', 'Measure', 'Analyse', 'Operate'] as const;

/** A command as the help page lists it; its class is loaded when it is run. */
export interface CommandEntry {
  /** The words that name it. */
  readonly path: string;
  readonly category: (typeof CATEGORIES)[number];
  readonly description: string;
  readonly load: () => Promise<CommandClass<CliContext>>;
}

/** Every command, in the order of the help page and the README's table. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    path: 'demo',
    category: 'Start',
    description: 'The whole story in one command: no key, no Docker',
    load: async () => (await import('./demo.js')).DemoCommand,
  },
  {
    path: 'doctor',
    category: 'Start',
    description: 'What works here, what does not, and the fix',
    load: async () => (await import('./doctor.js')).DoctorCommand,
  },
  {
    path: 'models',
    category: 'Start',
    description: 'Which models can be asked, and which keys are set',
    load: async () => (await import('./models.js')).ModelsCommand,
  },
  {
    path: 'check',
    category: 'Measure',
    description: 'Measure how strongly a model believes a claim',
    load: async () => (await import('./check.js')).CheckCommand,
  },
  {
    path: 'research',
    category: 'Measure',
    description: 'The same measurement for experiments: into SQLite, and its row into the lake',
    load: async () => (await import('./research.js')).ResearchCommand,
  },
  {
    path: 'estimate',
    category: 'Measure',
    description: 'The estimate for samples you already have',
    load: async () => (await import('./estimate.js')).EstimateCommand,
  },
  {
    path: 'bank list',
    category: 'Measure',
    description: 'The banks of wordings that ship with hx',
    load: async () => (await import('./bank.js')).BankListCommand,
  },
  {
    path: 'bank show',
    category: 'Measure',
    description: 'Every wording of a bank',
    load: async () => (await import('./bank.js')).BankShowCommand,
  },
  {
    path: 'bank lint',
    category: 'Measure',
    description: 'What is wrong with a bank, and what could be better',
    load: async () => (await import('./bank.js')).BankLintCommand,
  },
  {
    path: 'bank diff',
    category: 'Measure',
    description: 'What changed between two banks',
    load: async () => (await import('./bank.js')).BankDiffCommand,
  },
  {
    path: 'export checks',
    category: 'Analyse',
    description: "Write an environment's checks to the lake, as Parquet",
    load: async () => (await import('./export.js')).ExportChecksCommand,
  },
  {
    path: 'export verify',
    category: 'Analyse',
    description:
      'Compare the checks in the lake with the database, value by value; exits 1 on any difference',
    load: async () => (await import('./export-verify.js')).ExportVerifyCommand,
  },
  {
    path: 'export research',
    category: 'Analyse',
    description: 'Bring into the lake the research runs that it lacks',
    load: async () => (await import('./export-research.js')).ExportResearchCommand,
  },
  {
    path: 'export compact',
    category: 'Analyse',
    description: 'Make one sorted file of each day of the lake',
    load: async () => (await import('./export-compact.js')).ExportCompactCommand,
  },
  {
    path: 'query',
    category: 'Analyse',
    description: 'SQL over the lake: every research run and every exported check',
    load: async () => (await import('./query.js')).QueryCommand,
  },
  {
    path: 'db up',
    category: 'Operate',
    description: 'Start the local Postgres',
    load: async () => (await import('./db.js')).DbUpCommand,
  },
  {
    path: 'db down',
    category: 'Operate',
    description: 'Stop the local Postgres and keep its data',
    load: async () => (await import('./db.js')).DbDownCommand,
  },
  {
    path: 'db status',
    category: 'Operate',
    description: 'Whether the local Postgres runs, and where; exits 1 when it does not answer',
    load: async () => (await import('./db.js')).DbStatusCommand,
  },
  {
    path: 'db reset',
    category: 'Operate',
    description: 'Remove the local Postgres and all data in it',
    load: async () => (await import('./db.js')).DbResetCommand,
  },
  {
    path: 'db url',
    category: 'Operate',
    description: 'Print the connection string, password included',
    load: async () => (await import('./db.js')).DbUrlCommand,
  },
  {
    path: 'db claim',
    category: 'Operate',
    description: 'Make a copied database (a branch, a clone) a database of its own',
    load: async () => (await import('./db.js')).DbClaimCommand,
  },
  {
    path: 'db psql',
    category: 'Operate',
    description: 'SQL against an environment, by psql where it is installed; read-only on production',
    load: async () => (await import('./db-psql.js')).DbPsqlCommand,
  },
  {
    path: 'db dump',
    category: 'Operate',
    description: 'Write all data of an environment to one checksummed file',
    load: async () => (await import('./db-dump.js')).DbDumpCommand,
  },
  {
    path: 'db restore',
    category: 'Operate',
    description: 'Put the data of such a file into an empty migrated database',
    load: async () => (await import('./db-dump.js')).DbRestoreCommand,
  },
  {
    path: 'migrate',
    category: 'Operate',
    description: 'Apply the pending migrations',
    load: async () => (await import('./migrate.js')).MigrateCommand,
  },
  {
    path: 'migrate status',
    category: 'Operate',
    description: 'Which migrations are applied and which are pending; exits 1 when any is pending',
    load: async () => (await import('./migrate.js')).MigrateStatusCommand,
  },
  {
    path: 'migrate baseline',
    category: 'Operate',
    description: 'Write the ledger of a database that has the schema already',
    load: async () => (await import('./migrate-repair.js')).MigrateBaselineCommand,
  },
  {
    path: 'migrate repair',
    category: 'Operate',
    description: 'Mend what a dead run left: unfinished steps, INVALID indexes',
    load: async () => (await import('./migrate-repair.js')).MigrateRepairCommand,
  },
  {
    path: 'migrate plan',
    category: 'Operate',
    description: 'Show what hx migrate would run, and run nothing',
    load: async () => (await import('./migrate.js')).MigratePlanCommand,
  },
  {
    path: 'migrate lint',
    category: 'Operate',
    description: 'What is unsafe in the migrations, and the safe way; exits 1 with a finding',
    load: async () => (await import('./migration-files.js')).MigrateLintCommand,
  },
  {
    path: 'migrate new',
    category: 'Operate',
    description: 'Write the next numbered migration, to be filled in',
    load: async () => (await import('./migration-files.js')).MigrateNewCommand,
  },
  {
    path: 'migrate verify',
    category: 'Operate',
    description: 'Everything wrong with the schema and its migrations, each with its fix; exits 1 on any',
    load: async () => (await import('./migrate-inspect.js')).MigrateVerifyCommand,
  },
  {
    path: 'migrate diff',
    category: 'Operate',
    description: 'Every object that differs from another environment or from the migrations; exits 1 on any',
    load: async () => (await import('./migrate-inspect.js')).MigrateDiffCommand,
  },
  {
    path: 'migrate sum',
    category: 'Operate',
    description: 'Write new migration files down in migrations.sum',
    load: async () => (await import('./migration-files.js')).MigrateSumCommand,
  },
  {
    path: 'bank sum',
    category: 'Operate',
    description: 'Write new versions of shipped banks down in banks.sum',
    load: async () => (await import('./bank.js')).BankSumCommand,
  },
  {
    path: 'serve',
    category: 'Operate',
    description: 'The same handlers over HTTP',
    load: async () => (await import('./serve.js')).ServeCommand,
  },
];
