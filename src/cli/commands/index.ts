import type { CommandClass } from 'clipanion';
import type { CliContext } from '../context.js';
import { EstimateCommand } from './estimate.js';

/** Every command, in the order of the README's table. */
export const COMMANDS: readonly CommandClass<CliContext>[] = [EstimateCommand];
