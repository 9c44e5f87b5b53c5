import { readFile } from 'node:fs/promises';
import type { TransactionSql } from 'postgres';
import type { Environment } from '../../base/environments.js';
import { HxError } from '../../base/errors.js';
import { packagePath } from '../../base/paths.js';
import { actAsOwner } from '../roles.js';
import { holdSteady } from '../steady-settings.js';

/** A table whose rows go into a dump. Names are as SQL writes them, quoted where they must be. */
export interface DataTable {
  readonly name: string;
  readonly columns: readonly string[];
  /** Expressions that put its rows in an order that is the same on every server. */
  readonly keys: readonly string[];
  /** Whether rows of tables that inherit from it are not its own. */
  readonly only: boolean;
}

/** Something that a dump does not hold, and why. */
export interface LeftOut {
  readonly name: string;
  readonly why: string;
}

/** The data of a database as its catalog describes it. */
export interface DataTables {
  /** Every table after those that it refers to. */
  readonly tables: readonly DataTable[];
  readonly sequences: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

interface RelationRow {
  readonly name: string;
  readonly left_out: string | null;
  readonly schema: string;
  /** The owners of the schema and of the relation, where the owner of hx's objects does not act for them. */
  readonly schema_stranger: string | null;
  readonly stranger: string | null;
  readonly only: boolean;
  readonly copied: string[];
  readonly renewed: string[];
  readonly computed: string[];
  readonly keys: string[];
  readonly refers_to: string[];
}

interface SequenceRow {
  readonly name: string;
  readonly stranger: string | null;
}

/** What decides beside that how values of any type are written; the same for every dump and restore. */
const SETTINGS: Readonly<Record<string, string>> = {
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  lc_monetary: 'C',
  xmloption: 'content',
  // Who waits for a lock is told soon.
  lock_timeout: '10s',
};

/**
 * Begins the work on all data of an environment in a transaction: as the owner, with every guard in force.
 * @throws HxError `refused` when the login may not act as the owner.
 */
export async function declareData(sql: TransactionSql, environment: Environment): Promise<void> {
  await holdSteady(sql, { 'hx.env': environment, ...SETTINGS });
  await actAsOwner(sql);
}

/** @throws HxError `conflict` when tables refer to each other in a circle, or are not the acting owner's. */
export async function readTables(sql: TransactionSql): Promise<DataTables> {
  const relations = await sql.unsafe<RelationRow[]>(await statement('relations'));
  const sequences = await sql.unsafe<SequenceRow[]>(await statement('sequences'));
  const held = relations.filter((relation) => relation.left_out === null);
  refuseStrangers(held, sequences);
  const inOrder = byReference(held);
  return {
    tables: inOrder.map(({ name, copied, keys, only }) => ({ name, columns: copied, keys, only })),
    sequences: sequences.map(({ name }) => name),
    leftOut: relations.flatMap(leftOutOf),
  };
}

/** What somebody made by hand belongs to the login, and the owner of hx's objects may not even read it. */
function refuseStrangers(tables: readonly RelationRow[], sequences: readonly SequenceRow[]): void {
  const foreign = new Map<string, string>();
  for (const { name, stranger, schema, schema_stranger } of tables) {
    if (schema_stranger !== null) foreign.set(`schema ${schema}`, schema_stranger);
    if (stranger !== null) foreign.set(`table ${name}`, stranger);
  }
  for (const { name, stranger } of sequences) {
    if (stranger !== null) foreign.set(`sequence ${name}`, stranger);
  }
  if (foreign.size === 0) return;
  const objects = [...foreign.keys()];
  const whose = [...foreign].map(([object, owner]) => `the ${object} belongs to ${owner}`).join(', ');
  const statements = objects.map((object) => `alter ${object} owner to hx_owner;`).join(' ');
  throw new HxError('conflict', `A dump or a restore would lack rights: ${whose}, not to hx_owner.`, {
    hint: `In hx db psql: ${statements} Or drop what is not needed.`,
    facts: { objects },
  });
}

function statement(name: string): Promise<string> {
  return readFile(packagePath('sql', 'postgres', 'dump', `${name}.sql`), 'utf8');
}

function leftOutOf({ name, left_out, renewed, computed }: RelationRow): LeftOut[] {
  if (left_out !== null) return [{ name, why: left_out }];
  return [
    ...renewed.map((column) => ({
      name: `${name}.${column}`,
      why: 'numbers of transactions: a restored row gets that of its restore',
    })),
    ...computed.map((column) => ({ name: `${name}.${column}`, why: 'generated: the database computes it' })),
  ];
}

/** Puts every table behind those that it refers to; among equals the order of names stays. */
function byReference(relations: readonly RelationRow[]): RelationRow[] {
  const sorted: RelationRow[] = [];
  let waiting = [...relations];
  while (waiting.length > 0) {
    const names = new Set(waiting.map(({ name }) => name));
    const next = waiting.filter(({ refers_to }) => !refers_to.some((name) => names.has(name)));
    if (next.length === 0) {
      throw new HxError('conflict', `The tables ${[...names].join(', ')} refer to each other in a circle.`, {
        hint: 'Make one of their foreign keys DEFERRABLE, so that their rows can be restored.',
      });
    }
    sorted.push(...next);
    waiting = waiting.filter((relation) => !next.includes(relation));
  }
  return sorted;
}

/** The statement that writes out the rows of a table, in their order. */
export function copyOutStatement({ name, columns, keys, only }: DataTable): string {
  const from = `${only ? 'only ' : ''}${name}`;
  return `copy (select ${columns.join(', ')} from ${from} order by ${keys.join(', ')}) to stdout`;
}

/** The statement that reads such rows. */
export function copyInStatement({ name, columns }: DataTable): string {
  return `copy ${name} (${columns.join(', ')}) from stdin`;
}
