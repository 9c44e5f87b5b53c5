import { join } from 'node:path';
import { Command, Option } from 'clipanion';
import { HxError } from '../../base/errors.js';
import type { SqlSession } from '../../handlers/db-psql.js';
import { askText, canAsk } from '../ask.js';
import { EnvironmentCommand } from '../base.js';
import { isTerminal } from '../context.js';
import { readInput, STANDARD_INPUT } from '../input.js';

/** The file below the data folder that keeps what was entered at our own prompt. */
const HISTORY_FILE = 'psql_history';

export class DbPsqlCommand extends EnvironmentCommand {
  static override paths = [['db', 'psql']];
  static override usage = Command.Usage({
    details:
      'Runs psql where one is installed, and otherwise a small prompt of its own: statements up to a `;`, answers as ' +
      'tables, `\\q` or Ctrl-D to leave, Ctrl-C to stop a statement. Either goes to the direct endpoint with verified ' +
      'TLS, by the same authorities (`sslrootcert`, else those of Node with `NODE_EXTRA_CA_CERTS`), and refuses the ' +
      'database of another environment. The prompt names the environment, and marks an open transaction with `*` and a ' +
      'failed one with `!`. The password is never among the arguments or variables of a process.\n\n' +
      'The session declares its environment, so that the guards let it write. On production it only reads, unless ' +
      '`--write` is given and the name of the environment is typed (or `--yes`). A session that only reads may be ' +
      'told otherwise by SET, and is then still refused by the guards, as it declares no environment.\n\n' +
      'With `-c` or a pipe it runs the statements and stops at the first that fails. `--json` and `--plain` never ' +
      'use psql; without it a pipe gets CSV. The exit code of psql is handed on.',
    examples: [
      ['A session', 'hx db psql'],
      [
        'One question to production, which cannot change anything',
        'hx db psql --env neon -c "select count(*) from checks"',
      ],
      ['A script', 'hx db psql --env neon-dev < mend.sql'],
      ['Into another program', 'hx db psql --json -c "select plan, count(*) from users group by 1" | jq'],
    ],
  });

  command = Option.Array('-c,--command', [], { description: 'Run these statements and end' });
  readOnly = Option.Boolean('--read-only', false, {
    description: 'Change nothing; the default on production',
  });
  write = Option.Boolean('--write', false, { description: 'Write on production too' });
  plain = Option.Boolean('--plain', false, { description: "hx's own prompt, even where psql is installed" });
  yes = Option.Boolean('--yes', false, { description: 'Write on production without being asked' });

  async execute(): Promise<number> {
    const access = { readOnly: this.readOnly, write: this.write, yes: await this.confirmed() };
    const { findPsql, runPsql } = await import('../psql/client.js');
    const file = this.plain || this.json ? undefined : findPsql(this.context.env['PATH']);
    if (file === undefined) {
      await this.runOwn(access);
      return 0;
    }
    const found = await this.invoke('dbAccess', access);
    if (this.interactive) this.introduce(found);
    return runPsql({
      file,
      access: found,
      commands: this.command,
      environment: this.context.env,
      interactive: this.interactive,
    });
  }

  /** Whether somebody types statements. */
  private get interactive(): boolean {
    return this.command.length === 0 && isTerminal(this.context.stdin);
  }

  private async confirmed(): Promise<boolean> {
    if (this.yes || !this.write || this.settings.environment !== 'production') return this.yes;
    if (!canAsk(this.context)) return false;
    const word = await askText(
      'This session would write to production. Type production to go on:',
      this.context,
    );
    if (word === 'production') return true;
    throw new HxError('usage', 'Nothing was done: that was not the name of the environment.', {
      hint: 'Leave --write out to read.',
    });
  }

  private introduce(found: Pick<SqlSession, 'environment' | 'host' | 'serverVersion' | 'readOnly'>): void {
    const { environment, host, serverVersion, readOnly } = found;
    const how = readOnly ? 'read-only' : 'writes go through';
    this.note(`${environment} at ${host}, Postgres ${serverVersion}, ${how}.`);
  }

  private async runOwn(access: { readOnly: boolean; write: boolean; yes: boolean }): Promise<void> {
    const text = this.interactive ? undefined : await this.readStatements();
    await this.withContext(async (context) => {
      const { invoke } = await import('../../handlers/index.js');
      const session = await invoke('dbSession', access, context);
      try {
        if (text === undefined) await this.converse(session);
        else await this.answer(session, text);
      } finally {
        await session.close();
      }
    });
  }

  private async readStatements(): Promise<string> {
    return this.command.length > 0 ? this.command.join(';\n') : readInput(STANDARD_INPUT, this.context);
  }

  private async answer(session: SqlSession, text: string): Promise<void> {
    const { statementsOf } = await import('../sql/lexer.js');
    const { sheetOf } = await import('../query/print.js');
    const { answerAll } = await import('../psql/answer.js');
    const { stdout, signal } = this.context;
    const format = this.json ? 'json' : isTerminal(stdout) ? 'table' : 'csv';
    await answerAll(session, statementsOf(text), format, sheetOf(stdout, signal, this.paint), signal);
  }

  private async converse(session: SqlSession): Promise<void> {
    if (!isTerminal(this.context.stdout)) {
      throw new HxError('usage', 'There is no SQL to run, and the prompt needs a terminal to write to.', {
        hint: 'Give a statement: hx db psql -c "select count(*) from checks".',
      });
    }
    const { History } = await import('../shell/history.js');
    const { Prompt } = await import('../psql/prompt.js');
    this.introduce(session);
    const history = await History.open(join(this.settings.dataDir, HISTORY_FILE));
    await new Prompt({ session, history, paint: this.paint }, this.context).run();
  }
}
