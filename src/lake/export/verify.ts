import { readFileSync } from 'node:fs';
import { messageOf } from '../../base/errors.js';
import { packagePath } from '../../base/paths.js';
import { required } from '../../rpl/column.js';
import { BulkLoader, valuesFromText } from '../bulk/loader.js';
import { quote } from '../catalog/catalog.js';
import { partitionsOf } from '../catalog/lake-listing.js';
import { type LiveDay, liveDays } from '../catalog/live-files.js';
import { hasBegunMeanwhile, readManifest } from '../catalog/manifest.js';
import { type Chain, parseRangeFile, type Slot, shortInstance } from '../catalog/range-names.js';
import { isWithin } from '../catalog/spans.js';
import { inputSelect } from '../compaction/merge.js';
import { dayOfFolder } from '../files/lake-file.js';
import { LAKE_COLUMNS } from '../files/schema.js';
import type { LakeStorage, OpenedFile } from '../storage/storage.js';
import { committedFiles } from './ledger.js';

/** What is wrong with one check, or with a file of the lake. */
export interface LakeProblem {
  readonly date: string;
  readonly problem:
    | 'missing'
    | 'double'
    | 'changed'
    | 'not deleted'
    | 'not in the database'
    | 'unreadable'
    | 'unknown file';
  /** The check's run id, or the file; of one that cannot be read also what DuckDB says. */
  readonly what: string;
}

/** One day of the database beside the lake. */
export interface VerifiedDay {
  readonly date: string;
  /** Checks that were exported and are not deleted. */
  readonly inDatabase: number;
  readonly inLake: number;
  /** Sums over every value of these checks, as hex; equal when all are. */
  readonly databaseChecksum: string;
  readonly lakeChecksum: string;
  /** Checks of the database that wait for an export. */
  readonly waiting: number;
  readonly problems: readonly LakeProblem[];
}

/** After the columns of a check comes whether a commit covers it. */
const IS_EXPORTED = required('is_exported', 'boolean', 'Whether an export has covered the row');

interface OwnFile {
  /** Below the lake's root. */
  readonly name: string;
  readonly version: number;
  /** Whether all its checks are of this database. */
  readonly isOwn: boolean;
}

/** The files of a day that matter to one database. */
export interface DayFiles {
  /** The live ones that hold its checks. */
  readonly live: readonly OwnFile[];
  /** Those whose names no writer gives, below the lake's root: nobody reads them. */
  readonly unknown: readonly string[];
  /** Whether several databases exported checks of the day: readers then count a check once that stands there twice. */
  readonly isShared: boolean;
}

const NO_FILES: DayFiles = { live: [], unknown: [], isShared: false };

/** The files of an environment that matter to one database, day by day. */
export async function checkFiles(storage: LakeStorage, chain: Chain): Promise<Map<string, DayFiles>> {
  const { environment } = chain;
  const read = await readManifest(storage, environment);
  const stored = await storage.list(environment);
  if (await hasBegunMeanwhile(storage, environment, read, stored)) return checkFiles(storage, chain);
  const { manifest } = read;
  const names = stored.map(({ name }) => name.slice(environment.length + 1));
  const days = new Map<string, DayFiles>();
  for (const day of liveDays({ environment, manifest, partitions: partitionsOf(names) })) {
    const live = ownFiles(day, chain, Object.keys(manifest.covered[day.day] ?? {}));
    const unknown = day.unknown.map((name) => `${environment}/dt=${day.day}/${name}`);
    if (live.length + unknown.length > 0) days.set(day.day, { live, unknown, isShared: day.isShared });
  }
  return days;
}

/** @param compacted the databases whose checks are in compacted files of the day. */
function ownFiles(
  { day, groups }: LiveDay,
  { environment, instance }: Chain,
  compacted: readonly string[],
): OwnFile[] {
  const own = shortInstance(instance);
  return groups.flatMap(({ kind, version, names }) =>
    names.flatMap((file): OwnFile[] => {
      const name = `${environment}/dt=${day}/${file}`;
      if (kind === 'r') return [];
      const instances = kind === 'c' ? compacted : [parseRangeFile(name)?.instance];
      const isOwn = instances.length === 1 && instances[0] === own;
      return kind === 'c' || isOwn ? [{ name, version, isOwn }] : [];
    }),
  );
}

/**
 * The files that exports wrote and that are neither there nor taken in by compaction, by day. Each record of an export
 * is read for it.
 */
async function lostFiles(
  storage: LakeStorage,
  chain: Chain,
  commits: readonly Slot[],
): Promise<Map<string, string[]>> {
  const { environment, instance } = chain;
  const { manifest } = await readManifest(storage, environment);
  const there = new Set((await storage.list(environment)).map(({ name }) => name));
  const lost = new Map<string, string[]>();
  for (const commit of commits) {
    for (const { name } of await committedFiles(storage, chain, commit)) {
      const day = dayOfFolder(name.split('/')[1] ?? '') ?? '';
      const covered = manifest.covered[day]?.[shortInstance(instance)] ?? [];
      if (!there.has(name) && !isWithin(covered, commit)) lost.set(day, [...(lost.get(day) ?? []), name]);
    }
  }
  return lost;
}

/** Compares days of the database with those of the lake, value by value. */
export class LakeVerifier {
  private readonly storage: LakeStorage;
  private readonly loader: BulkLoader;
  private readonly findLost: () => Promise<Map<string, string[]>>;
  private lost: Map<string, string[]> | undefined;

  private constructor(storage: LakeStorage, loader: BulkLoader, findLost: LakeVerifier['findLost']) {
    this.storage = storage;
    this.loader = loader;
    this.findLost = findLost;
  }

  /** @param commits what was exported from the database. */
  static async open(storage: LakeStorage, chain: Chain, commits: readonly Slot[]): Promise<LakeVerifier> {
    return new LakeVerifier(storage, await BulkLoader.open(), () => lostFiles(storage, chain, commits));
  }

  /**
   * @param text the database's checks of the day, and of each whether it was exported.
   */
  async verify(
    date: string,
    { live, unknown, isShared }: DayFiles = NO_FILES,
    text: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<VerifiedDay> {
    const load = (rows: string) =>
      `CREATE OR REPLACE TEMP TABLE stored AS SELECT ${valuesFromText()}, 'operational' AS lane, is_exported FROM ${rows}`;
    await this.loader.load(text, load, signal, [IS_EXPORTED]);
    const unread = await this.loadFiles(live);
    await this.loader.query(verifySql('newest'));
    const [counts = []] = await this.loader.query(verifySql('counts'));
    const [inDatabase, databaseChecksum, inLake, lakeChecksum, waiting] = counts;
    const problems = (await this.loader.query(verifySql('problems')))
      .map(([what, problem]) => ({
        date,
        problem: problem as LakeProblem['problem'],
        what: String(what),
      }))
      .filter(({ problem }) => !(isShared && problem === 'double'));
    if (problems.some(({ problem }) => problem === 'missing')) {
      this.lost ??= await this.findLost();
      unread.push(...(this.lost.get(date) ?? []).map((name) => `${name}: ${NOT_THERE}`));
    }
    return {
      date,
      inDatabase: Number(inDatabase),
      inLake: Number(inLake),
      databaseChecksum: String(databaseChecksum),
      lakeChecksum: String(lakeChecksum),
      waiting: Number(waiting),
      problems: [
        ...unread.map((what) => ({ date, problem: 'unreadable' as const, what })),
        ...unknown.map((what) => ({ date, problem: 'unknown file' as const, what })),
        ...problems,
      ],
    };
  }

  close(): Promise<void> {
    return this.loader.close();
  }

  /** Makes the table `found` of the files' checks. Returns what is said of those that cannot be read. */
  private async loadFiles(files: readonly OwnFile[]): Promise<string[]> {
    const unreadable: string[] = [];
    const columns = LAKE_COLUMNS.map(({ name }) => name).join(', ');
    await this.loader.query(
      'CREATE OR REPLACE TEMP TABLE found AS SELECT * EXCLUDE (is_exported), 0::BIGINT AS file_row_number, ' +
        "'' AS filename, false AS is_own FROM stored LIMIT 0",
    );
    for (const { name, version, isOwn } of files) {
      let opened: OpenedFile | undefined;
      try {
        opened = await this.storage.open(name);
        if (opened === undefined) throw new Error(NOT_THERE);
        const rows = inputSelect([{ path: opened.path, version }]);
        await this.loader.query(
          `INSERT INTO found BY NAME SELECT ${columns}, file_row_number, ${quote(name)} AS filename, ${isOwn} AS is_own
           FROM (${rows}) WHERE lane = 'operational'`,
        );
      } catch (error) {
        unreadable.push(`${name}: ${messageOf(error).split('\n')[0]}`);
      } finally {
        await opened?.release();
      }
    }
    return unreadable;
  }
}

const NOT_THERE = 'it is not there';

function verifySql(name: string): string {
  return readFileSync(packagePath('sql', 'verify', `${name}.sql`), 'utf8');
}
