import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { ExportVerifyResult } from '../../../../src/handlers/export-verify.js';
import { compact } from '../../../../src/lake/compaction/compact.js';
import { exportsFolder } from '../../../../src/lake/files/partition.js';
import { leftOvers, type Reader } from './reader.js';
import type { Stage } from './stage.js';

/** Longer than the grace of replaced files. */
const DAY_MS = 86_400_000;
/** Checks may wait for a moment while Postgres looks after its tables. */
const MOST_EXPORTS = 20;

/**
 * Runs everything to its end and proves the lake as a whole: against the database, value by value; against the research
 * store; and that nothing of what was killed is left.
 * @param acknowledged the research runs that must be there, by id.
 * @returns what is wrong.
 */
export async function settle(
  stage: Stage,
  reader: Reader,
  acknowledged: ReadonlySet<string>,
): Promise<string[]> {
  const found: string[] = [];
  const run = async (argv: readonly string[]) => {
    const { exitCode, stdout, stderr } = await stage.run(argv);
    if (exitCode !== 0) found.push(`hx ${argv[0]} ${argv[1]} ended with ${exitCode}: ${stderr}`);
    return stdout;
  };
  found.push(...(await exportAll(stage)));
  await run(stage.sweep(1));
  await run(['export', 'compact', '--json']);
  found.push(...leftOvers(stage.dataDir, stage.temporary).map((name) => `${name} is left over`));
  found.push(...(await reader.problems(stage.checks.tally, acknowledged)));
  found.push(...(await compactWithoutGrace(stage)));
  found.push(...(await reader.problems(stage.checks.tally, acknowledged)));
  const { inserted, deleted } = stage.checks.tally;
  found.push(
    ...differences(await run(['export', 'verify', '--json']), inserted.begun - deleted.begun),
    ...(await researchDifferences(stage.dataDir, reader)),
  );
  return found;
}

async function exportAll(stage: Stage): Promise<string[]> {
  const { tally } = stage.checks;
  for (let tries = 0; tries < MOST_EXPORTS; tries += 1) {
    const { exitCode, stderr } = await stage.export();
    if (exitCode !== 0) return [`the last export ended with ${exitCode}: ${stderr}`];
    if (tally.inserted.done === tally.inserted.begun) return [];
  }
  return [`checks still wait after ${MOST_EXPORTS} exports`];
}

/** Merges what can be merged and removes what was replaced, after which each day is one file. */
async function compactWithoutGrace(stage: Stage): Promise<string[]> {
  const common = {
    storage: await stage.storage(),
    dataDir: stage.dataDir,
    environment: 'local',
    urgency: 'any',
  } as const;
  await compact({ ...common, now: () => new Date() });
  await compact({ ...common, now: () => new Date(Date.now() + DAY_MS) });
  const folder = join(exportsFolder(stage.dataDir), 'local');
  return readdirSync(folder)
    .filter((name) => name.startsWith('dt='))
    .map((day) => ({ day, names: readdirSync(join(folder, day)) }))
    .filter(({ names }) => names.length !== 1)
    .map(({ day, names }) => `${day} holds ${names.join(' ')}`);
}

function differences(json: string, live: number): string[] {
  if (json === '') return [];
  const { is_right, problems, chain, unfinished, days } = JSON.parse(json) as ExportVerifyResult;
  const inLake = days.reduce((sum, day) => sum + day.in_lake, 0);
  return [
    ...(is_right ? [] : [`the lake is not right: ${JSON.stringify([...problems.slice(0, 3), ...chain])}`]),
    ...unfinished.map((range) => `an export is unfinished: ${JSON.stringify(range)}`),
    ...(inLake === live ? [] : [`the lake holds ${inLake} checks, the database ${live}`]),
  ];
}

async function researchDifferences(dataDir: string, reader: Reader): Promise<string[]> {
  const sqlite = new Database(join(dataDir, 'research.sqlite'), { readonly: true });
  const stored = sqlite.prepare('select run_id from runs order by run_id').pluck().all() as string[];
  sqlite.close();
  const inLake = await reader.researchRuns();
  const isSame = stored.length === inLake.length && stored.every((id, index) => id === inLake[index]);
  return isSame ? [] : [`the research store has ${stored.length} runs, the lake ${inLake.length} of them`];
}
