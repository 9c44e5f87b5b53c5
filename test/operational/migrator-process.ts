// Migrates the local database of DATABASE_URL from a folder of migrations: node --import tsx migrator-process.ts FOLDER
import { loadSettings } from '../../src/base/config.js';
import { applyMigrations } from '../../src/operational/schema/apply.js';

const [folder = ''] = process.argv.slice(2);
const settings = loadSettings({ variables: process.env, folder });
await applyMigrations({ settings, signal: new AbortController().signal, emit: () => undefined, folder });
