import { readFileSync } from 'node:fs';
import type { Database as Sqlite, Statement } from 'better-sqlite3';
import { diskHint } from '../base/disk-hints.js';
import { HxError, messageOf, systemCode } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
import type { SqliteValue } from './rows.js';

/** The research store's connection. Every statement is prepared once, as a sweep runs the same few all the time. */
export class Connection {
  private readonly sqlite: Sqlite;
  private readonly statements = new Map<string, Statement>();
  private readonly files = new Map<string, string>();

  /** @param sqlite in WAL mode with synchronous FULL. */
  constructor(sqlite: Sqlite) {
    this.sqlite = sqlite;
  }

  /** The statement of a text. */
  prepare(sql: string): Statement {
    const known = this.statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.sqlite.prepare(sql);
    this.statements.set(sql, statement);
    return statement;
  }

  /** The statement of a file in sql/sqlite. */
  prepareFile(name: string): Statement {
    const sql = this.files.get(name) ?? readFileSync(packagePath('sql', 'sqlite', name), 'utf8');
    this.files.set(name, sql);
    return this.prepare(sql);
  }

  /** Inserts one row; its keys are columns of the table. */
  insert(table: string, row: Readonly<Record<string, SqliteValue>>): void {
    const names = Object.keys(row);
    const places = names.map((name) => `@${name}`);
    this.prepare(`insert into ${table} (${names.join(', ')}) values (${places.join(', ')})`).run(row);
  }

  /**
   * Runs work in one transaction that is on the disk when this returns.
   * @throws HxError `failed` when the disk refuses.
   */
  durably<T>(work: () => T): T {
    try {
      return this.sqlite.transaction(work).immediate();
    } catch (error) {
      throw isRefused(error) ? refusal(this.sqlite.name, error) : error;
    }
  }

  /**
   * Runs work in one transaction that every crash of ours survives, but a power cut may undo until the next durable
   * one: for what the next invocation finds out or does again by itself. It spares the wait for the disk.
   * @throws HxError as `durably`.
   */
  lightly<T>(work: () => T): T {
    this.sqlite.pragma('synchronous = NORMAL');
    try {
      return this.durably(work);
    } finally {
      this.sqlite.pragma('synchronous = FULL');
    }
  }

  close(): void {
    this.sqlite.close();
  }
}

/** Whether an error is the disk's or the file's, not of what was asked. */
function isRefused(error: unknown): boolean {
  return /^SQLITE_(FULL|IOERR|READONLY|BUSY|CORRUPT|NOTADB|CANTOPEN)/.test(systemCode(error) ?? '');
}

function refusal(path: string, cause: unknown): HxError {
  return new HxError('failed', `Cannot write ${path}: ${messageOf(cause)}.`, {
    cause,
    hint: diskHint(cause) ?? 'Check the space and the permissions of that folder.',
  });
}
