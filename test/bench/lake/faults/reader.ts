import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { messageOf } from '../../../../src/base/errors.js';
import { type LakeEngine, openLakeEngine } from '../../../../src/lake/engine/engine.js';
import { exportsFolder } from '../../../../src/lake/files/partition.js';
import { runRows } from '../../../lake/collect.js';
import { type Seen, seeRows, type Tally } from '../../../lake/compaction/tally.js';

/** Files of the lake that are neither rows nor records: locks, which SQLite may keep a journal beside. */
const LOCK = /\.lock(-journal)?$/;
const TEMPORARY = /\.tmp(\.wal)?$/;

/** Everything that a reader of the lake can find wrong. */
export class Reader {
  private readonly dataDir: string;
  private readonly engine: LakeEngine;
  private readonly duckdb: DuckDBInstance;
  private readonly connection: DuckDBConnection;
  /** Files that were read whole: none ever changes but the manifest. */
  private readonly whole = new Set<string>();

  private constructor(dataDir: string, engine: LakeEngine, duckdb: DuckDBInstance, own: DuckDBConnection) {
    this.dataDir = dataDir;
    this.engine = engine;
    this.duckdb = duckdb;
    this.connection = own;
  }

  static async open(dataDir: string): Promise<Reader> {
    const duckdb = await DuckDBInstance.create(':memory:', { threads: '1' });
    return new Reader(dataDir, await openLakeEngine({ dataDir }), duckdb, await duckdb.connect());
  }

  /** What is wrong with the rows that a query sees, and with the files. Nothing writes meanwhile. */
  async problems(tally: Tally, acknowledgedRuns: ReadonlySet<string>): Promise<string[]> {
    try {
      const { operational, research } = await seeRows(this.engine);
      return [
        ...tally.problems('operational', operational, tally),
        ...researchProblems(research),
        ...(await this.lostRuns(acknowledgedRuns)),
        ...(await this.fileProblems()),
      ];
    } catch (error) {
      return [`a reader failed: ${messageOf(error)}`];
    }
  }

  /** The run ids of the research rows. */
  async researchRuns(): Promise<string[]> {
    const rows = await runRows(this.engine, 'SELECT run_id::VARCHAR FROM research_runs ORDER BY 1');
    return rows.map(([id]) => String(id));
  }

  close(): void {
    this.engine.close();
    this.connection.closeSync();
    this.duckdb.closeSync();
  }

  private async lostRuns(acknowledged: ReadonlySet<string>): Promise<string[]> {
    if (acknowledged.size === 0) return [];
    const there = new Set(await this.researchRuns());
    const lost = [...acknowledged].filter((id) => !there.has(id));
    return lost.map((id) => `research run ${id} was acknowledged and is lost`);
  }

  /** Every published file is whole, and nothing else is there than files under way. */
  private async fileProblems(): Promise<string[]> {
    const found: string[] = [];
    for (const path of filesBelow(exportsFolder(this.dataDir))) {
      if (this.whole.has(path) || TEMPORARY.test(path) || LOCK.test(path)) continue;
      try {
        if (path.endsWith('.json')) JSON.parse(readFileSync(path, 'utf8'));
        else if (path.endsWith('.parquet')) await this.readWhole(path);
        else found.push(`${path} is none of ours`);
        if (!path.endsWith('manifest.json')) this.whole.add(path);
      } catch (error) {
        found.push(`${path} is partial: ${messageOf(error)}`);
      }
    }
    return found;
  }

  /** Every value of every row. */
  private async readWhole(path: string): Promise<void> {
    const rows = `read_parquet('${path}', hive_partitioning = false)`;
    await this.connection.run(`SELECT bit_xor(hash(file)) FROM ${rows} AS file`);
  }
}

function researchProblems({ rows, runs }: Seen): string[] {
  return rows === runs ? [] : [`research: ${rows} rows of ${runs} runs`];
}

/** What of killed processes is left in a data folder and in the folder of temporary files. */
export function leftOvers(dataDir: string, temporary: string): string[] {
  const spills = readdirSync(dataDir).filter((name) => name.startsWith('.spill-'));
  const files = filesBelow(dataDir).filter((path) => TEMPORARY.test(path));
  return [...files, ...spills, ...readdirSync(temporary).filter((name) => name.startsWith('hx-'))];
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
