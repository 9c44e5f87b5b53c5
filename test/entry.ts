// The command line as a process of its own, without a build: `node --import tsx test/entry.ts ...`.
import { main } from '../src/cli/main.js';

process.exitCode = await main(process);
