import type { CommandClass } from 'clipanion';
import type { CliContext } from '../context.js';
import { CheckCommand } from './check.js';
import {
  DbClaimCommand,
  DbDownCommand,
  DbResetCommand,
  DbStatusCommand,
  DbUpCommand,
  DbUrlCommand,
} from './db.js';
import { DemoCommand } from './demo.js';
import { DoctorCommand } from './doctor.js';
import { EstimateCommand } from './estimate.js';
import { ExportChecksCommand } from './export.js';
import { MigrateCommand, MigratePlanCommand, MigrateStatusCommand, MigrateSumCommand } from './migrate.js';
import { ModelsCommand } from './models.js';
import { QueryCommand } from './query.js';
import { ResearchCommand } from './research.js';
import { ServeCommand } from './serve.js';

/** Every command, in the order of the README's table. */
export const COMMANDS: readonly CommandClass<CliContext>[] = [
  DemoCommand,
  DoctorCommand,
  CheckCommand,
  ResearchCommand,
  EstimateCommand,
  ModelsCommand,
  ExportChecksCommand,
  QueryCommand,
  ServeCommand,
  DbUpCommand,
  DbDownCommand,
  DbStatusCommand,
  DbResetCommand,
  DbUrlCommand,
  DbClaimCommand,
  MigrateCommand,
  MigrateStatusCommand,
  MigratePlanCommand,
  MigrateSumCommand,
];
