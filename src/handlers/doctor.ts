import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { versions } from 'node:process';
import * as t from 'typanion';
import { makeFolders } from '../base/data-folder.js';
import { CHOICE_SETTING_NAMES, NUMBER_SETTING_NAMES } from '../base/settings-table.js';
import type { Context } from './context.js';
import { connection, database, guards, migrations } from './doctor-database.js';
import { attempt, type Finding, failed, ok } from './finding.js';
import { defineHandler } from './handler.js';
import { problemOfReading } from './lake-engine.js';

export type { Finding } from './finding.js';

export interface DoctorResult {
  readonly environment: string;
  readonly findings: readonly Finding[];
  readonly settings: readonly { name: string; value: string; source: string }[];
}

/** What works here, what does not, the fix, and where each setting comes from. Makes nothing but the data folder. */
export const doctor = defineHandler({
  name: 'doctor',
  input: t.isObject({}),
  async run(_input, context): Promise<DoctorResult> {
    const found = await Promise.all([
      nodeVersion(),
      dataFolder(context),
      sqlite(context),
      duckdb(context),
      lakeServer(context),
      docker(context),
      embedded(),
      database(context),
      connection(context),
      migrations(context),
      guards(context),
      model(context),
      prices(context),
    ]);
    const findings = [...found.flat(), ...unfitSettings(context)];
    const settings = context.settings
      .all()
      .map(({ name, shown, source }) => ({ name, value: shown, source }));
    return { environment: context.settings.environment, findings, settings };
  },
});

const MINIMUM_NODE = [20, 12] as const;

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = versions.node.split('.').map(Number);
  const enough = major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1]);
  const detail = `Node ${versions.node}`;
  if (enough) return ok('Node', detail);
  return { name: 'Node', state: 'broken', detail, fix: `Install Node ${MINIMUM_NODE.join('.')} or newer.` };
}

async function dataFolder({ settings }: Context): Promise<Finding> {
  const folder = settings.dataDir;
  return attempt('Data folder', 'broken', async () => {
    makeFolders(folder);
    await access(folder, constants.W_OK);
    return folder;
  });
}

function sqlite({ settings, lanes }: Context): Promise<Finding> {
  return attempt('Research store', 'broken', async () => {
    const { hasResearchStore, sqliteVersion } = await import('../research/open.js');
    const version = `SQLite ${await sqliteVersion()}`;
    if (!hasResearchStore(settings.dataDir)) return `${version}; research.sqlite comes with the first run`;
    await lanes.research();
    return `${version}; research.sqlite opens`;
  });
}

function duckdb({ settings }: Context): Promise<Finding> {
  return attempt('Lake', 'broken', async () => {
    const { openLakeEngine } = await import('../lake/engine/engine.js');
    const engine = await openLakeEngine({ dataDir: settings.dataDir });
    try {
      if (settings.get('HX_LAKE_URL') !== undefined) return 'DuckDB works; the lake is on S3';
      const { chunks } = await engine.run('select env, count(*) from checks group by env order by env');
      const counts: string[] = [];
      for await (const chunk of chunks) for (const [env, rows] of chunk) counts.push(`${env} ${rows}`);
      return counts.length === 0
        ? 'DuckDB works; the lake is empty'
        : `DuckDB works; rows: ${counts.join(', ')}`;
    } finally {
      engine.close();
    }
  });
}

/** Whether a lake on S3 answers; nothing where the lake is local. Reads only, so it cannot tell if the key may write. */
async function lakeServer({ settings, lanes, clock }: Context): Promise<Finding[]> {
  if (settings.get('HX_LAKE_URL') === undefined) return [];
  const finding = await attempt('Lake on S3', 'broken', async () => {
    const storage = await lanes.lake();
    const startedMs = clock.monotonicMs();
    const files = await storage.list(`${settings.environment}/_hx`);
    const tookMs = clock.monotonicMs() - startedMs;
    const exported = files.length === 0 ? `no export of ${settings.environment} yet` : 'exports are there';
    return `${storage.url} answers in ${tookMs.toFixed(0)} ms; ${exported}`;
  });
  const reading = await attempt('Queries on S3', 'broken', async () => {
    const problem = await problemOfReading(settings);
    if (problem === undefined) return 'read the lake in place, through httpfs';
    const reason = problem === 'unwanted' ? 'HX_LAKE_READ says so' : problem.reason;
    return `fetch the files that they need (${reason})`;
  });
  return [finding, reading];
}

async function docker({ signal }: Context): Promise<Finding> {
  const { isDockerThere } = await import('../operational/server/docker.js');
  if (await isDockerThere(signal)) return ok('Docker', 'an engine answers');
  const fix = 'Not needed where the embedded Postgres works; else install Docker with Compose.';
  return { name: 'Docker', state: 'missing', detail: 'no engine answers', fix };
}

function embedded(): Promise<Finding> {
  return attempt('Embedded Postgres', 'missing', async () => {
    const { findBinaries, program } = await import('../operational/server/binaries.js');
    return program(findBinaries(), 'postgres');
  });
}

function model({ settings }: Context): Promise<Finding> {
  return attempt('Model', 'missing', async () => {
    const { requireModelName, resolveModel } = await import('../models/resolve.js');
    const { identity } = await resolveModel(requireModelName(undefined, settings), settings);
    return `${identity.model}, named by ${settings.describe('HX_MODEL').source}`;
  });
}

function prices({ settings }: Context): Promise<Finding> {
  return attempt('Prices', 'broken', async () => {
    const { describeTables } = await import('../models/prices.js');
    return describeTables(settings);
  });
}

/** Settings that are no number, out of range or no word that they may be: they stop the commands that read them. */
function unfitSettings({ settings }: Context): Finding[] {
  const checks = [
    ...NUMBER_SETTING_NAMES.map((name) => ({ name, read: () => settings.number(name) })),
    ...CHOICE_SETTING_NAMES.map((name) => ({ name, read: () => settings.choice(name) })),
  ];
  return checks.flatMap(({ name, read }) => {
    try {
      read();
      return [];
    } catch (thrown) {
      return [failed(name, 'broken', thrown)];
    }
  });
}
