import type { Environment } from '../../base/environments.js';
import { SCHEMA_VERSION } from '../files/schema.js';

/** Rows that were never updated since they were inserted (`x`), and all others (`u`): changed or deleted ones. */
export type RangeKind = 'x' | 'u';

/**
 * What one export covers: the transactions `[lo, hi)` of one database, on the days `[since, until]` (UTC dates,
 * both included; null for no end).
 */
export interface Rectangle {
  readonly lo: bigint;
  readonly hi: bigint;
  readonly since: string | null;
  readonly until: string | null;
}

/** One database of an environment, and where its exports are. */
export interface Chain {
  readonly environment: Environment;
  /** UUID of the database: one made anew, or a claimed branch, is another chain. */
  readonly instance: string;
}

/** How file names and messages call a database: the first eight hex digits of its UUID. */
export function shortInstance(instance: string): string {
  return instance.slice(0, 8);
}

/** The folder of a chain's records, below the lake's root. */
export function chainFolder({ environment, instance }: Chain): string {
  return `${environment}/_hx/${shortInstance(instance)}`;
}

/** The name of a range's file: the same for whoever exports the range, so that nothing is published twice. */
export function rangeFileName(chain: Chain, { lo, hi }: Rectangle, day: string, kind: RangeKind): string {
  const file = `${kind}-s${SCHEMA_VERSION}-${shortInstance(chain.instance)}-${lo}-${hi}.parquet`;
  return `${chain.environment}/dt=${day}/${file}`;
}

export interface RangeFile {
  readonly kind: RangeKind;
  readonly version: number;
  /** First eight hex digits of the database's UUID. */
  readonly instance: string;
  readonly lo: bigint;
  readonly hi: bigint;
}

const RANGE_FILE = /(?:^|\/)([xu])-s(\d+)-([0-9a-f]{8})-(\d{1,20})-(\d{1,20})\.parquet$/;

/** What a range's file name says; undefined for any other file. */
export function parseRangeFile(name: string): RangeFile | undefined {
  const [, kind, version, instance = '', lo, hi] = RANGE_FILE.exec(name) ?? [];
  if (kind === undefined || lo === undefined || hi === undefined) return undefined;
  return { kind: kind as RangeKind, version: Number(version), instance, lo: BigInt(lo), hi: BigInt(hi) };
}

/** Stands in names for a date that is not given. */
const NO_SINCE = 'first';
const NO_UNTIL = 'last';

function datesPart({ since, until }: Pick<Rectangle, 'since' | 'until'>): string {
  return since === null && until === null ? '' : `-${since ?? NO_SINCE}-${until ?? NO_UNTIL}`;
}

/** What one range covers, and its place in the chain. */
export interface Slot extends Rectangle {
  /** 0, 1, 2 …: a slot is taken when all before it are committed. */
  readonly slot: number;
}

/** What an export is about to cover, written down before its first file. */
export function intentName(chain: Chain, slot: number): string {
  return `${chainFolder(chain)}/ranges/${slot}.json`;
}

/** What an export has covered, written down after its last file. */
export function commitName(chain: Chain, { slot, ...rectangle }: Slot): string {
  const { lo, hi } = rectangle;
  return `${chainFolder(chain)}/commits/${slot}-${lo}-${hi}${datesPart(rectangle)}.json`;
}

const DATES = '(?:-(first|\\d{4}-\\d{2}-\\d{2})-(last|\\d{4}-\\d{2}-\\d{2}))?';
const COMMIT = new RegExp(`/_hx/([0-9a-f]{8})/commits/(\\d{1,9})-(\\d{1,20})-(\\d{1,20})${DATES}\\.json$`);

/** What a commit's name says; undefined for any other file. */
export function parseCommitName(name: string): (Slot & { readonly instance: string }) | undefined {
  const [, instance, slot, lo, hi, since, until] = COMMIT.exec(name) ?? [];
  if (instance === undefined || lo === undefined || hi === undefined) return undefined;
  return { instance, slot: Number(slot), lo: BigInt(lo), hi: BigInt(hi), ...dates(since, until) };
}

/** Whether a name is one that records of exports had before they were numbered; no released version gave it. */
export function isFormerRecord(name: string): boolean {
  const [, kind] = /\/_hx\/[0-9a-f]{8}\/(commits|ranges)\/[^/]+\.json$/.exec(name) ?? [];
  if (kind === 'commits') return parseCommitName(name) === undefined;
  return kind === 'ranges' && !/\/\d{1,9}\.json$/.test(name);
}

function dates(since: string | undefined, until: string | undefined): Pick<Rectangle, 'since' | 'until'> {
  return {
    since: since === undefined || since === NO_SINCE ? null : since,
    until: until === undefined || until === NO_UNTIL ? null : until,
  };
}
