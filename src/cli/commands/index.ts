import type { CommandClass } from 'clipanion';
import type { CliContext } from '../context.js';
import { CheckCommand } from './check.js';
import { EstimateCommand } from './estimate.js';
import { ExportChecksCommand } from './export.js';
import { ResearchCommand } from './research.js';

/** Every command, in the order of the README's table. */
export const COMMANDS: readonly CommandClass<CliContext>[] = [
  CheckCommand,
  ResearchCommand,
  EstimateCommand,
  ExportChecksCommand,
];
