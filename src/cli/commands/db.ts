import { Command, Option } from 'clipanion';
import { HxError } from '../../base/errors.js';
import { maskUrl } from '../../base/secrets.js';
import { askYesNo } from '../ask.js';
import { EnvironmentCommand } from '../base.js';

export class DbUpCommand extends EnvironmentCommand {
  static override paths = [['db', 'up']];
  static override usage = Command.Usage({
    details:
      'Uses Docker Compose where an engine answers, else the Postgres that comes with hx. A second call changes ' +
      'nothing. Listens on this machine only, on HX_PG_PORT, else 54329, else a free port.',
    examples: [
      ['Start it', 'hx db up'],
      ['Without Docker, even where it runs', 'hx db up --engine embedded'],
    ],
  });

  engine = Option.String('--engine', { description: 'docker, embedded or auto (the default)' });

  async execute(): Promise<void> {
    const server = await this.invoke('dbUp', { engine: this.engine });
    const url = maskUrl(server.url ?? '');
    if (this.json) {
      this.printJson({ ...server, url });
      return;
    }
    const did = server.started ? `started in ${Math.round(server.elapsedMs)} ms` : 'was running already';
    this.print(`Postgres (${server.engine}) ${did}: ${url}`);
  }
}

export class DbDownCommand extends EnvironmentCommand {
  static override paths = [['db', 'down']];
  static override usage = Command.Usage({
    examples: [['Stop it', 'hx db down']],
  });

  async execute(): Promise<void> {
    const result = await this.invoke('dbDown', {});
    if (this.json) this.printJson(result);
    else this.print(result.stopped ? 'Postgres stopped.' : 'Postgres was not running.');
  }
}

export class DbStatusCommand extends EnvironmentCommand {
  static override paths = [['db', 'status']];
  static override usage = Command.Usage({
    examples: [['As JSON', 'hx db status --json']],
  });

  async execute(): Promise<number> {
    const server = await this.invoke('dbStatus', {});
    const url = server.url === null ? null : maskUrl(server.url);
    if (this.json) {
      this.printJson({ ...server, url });
      return server.answering ? 0 : 1;
    }
    const state = server.engine === null ? 'none yet' : server.answering ? 'running' : 'stopped';
    const lines = [
      ['state', server.running && !server.answering ? 'running, but not answering' : state],
      ['engine', server.engine],
      ['url', url],
      ['process', server.pid],
      ['folder', server.folder],
      ['data', server.dataFolder],
      ['copies', server.copies],
    ] as const;
    for (const [label, value] of lines) {
      if (value !== null) this.print(`${this.paint('bold', label.padEnd(8))} ${value}`);
    }
    return server.answering ? 0 : 1;
  }
}

export class DbResetCommand extends EnvironmentCommand {
  static override paths = [['db', 'reset']];
  static override usage = Command.Usage({
    details: 'Asks on a terminal; elsewhere it needs --yes. Other environments cannot be reset.',
    examples: [['Start afresh', 'hx db reset --yes && hx db up && hx migrate']],
  });

  yes = Option.Boolean('--yes', false, { description: 'Do not ask' });

  async execute(): Promise<number> {
    let { yes } = this;
    if (!yes && this.settings.environment === 'local') {
      const answer = await askYesNo('Remove the local Postgres and all data in it?', this.context);
      if (answer === false) {
        this.note('Nothing was removed.');
        return 1;
      }
      yes = answer === true;
    }
    const result = await this.invoke('dbReset', { yes });
    if (this.json) this.printJson(result);
    else if (result.removed === null) this.print('There was no local Postgres to remove.');
    else this.print(`Removed the cluster in ${result.removed}.`);
    return 0;
  }
}

export class DbUrlCommand extends EnvironmentCommand {
  static override paths = [['db', 'url']];
  static override usage = Command.Usage({
    examples: [['Open psql', 'psql "$(hx db url)"']],
  });

  async execute(): Promise<void> {
    const result = await this.invoke('dbUrl', {});
    if (this.json) this.printJson(result);
    else this.print(result.url);
  }
}

export class DbClaimCommand extends EnvironmentCommand {
  static override paths = [['db', 'claim']];
  static override usage = Command.Usage({
    details:
      'A copy keeps the identity of its original and refuses every write until it is claimed. Rows that it ' +
      'inherited from another environment stay as they are and cannot be changed. Where the identity was removed ' +
      'by hand, claiming makes it anew.',
    examples: [['A new Neon branch for development', 'hx db claim --env development']],
  });

  yes = Option.Boolean('--yes', false, {
    description: 'Claim for production, or where the identity is missing, without being asked',
  });

  async execute(): Promise<number> {
    let { yes } = this;
    if (!yes && this.settings.environment === 'production') {
      const answer = await askYesNo('Make the database there the production one?', this.context);
      if (answer === false) {
        this.note('Nothing was claimed.');
        return 1;
      }
      yes = answer === true;
    }
    const result = await this.claim(yes);
    if (result === undefined) {
      this.note('Nothing was claimed.');
      return 1;
    }
    if (this.json) this.printJson(result);
    else if (result.claimed) this.print(`Claimed for ${result.environment}.`);
    else this.print(`It was the ${result.environment} database already.`);
    return 0;
  }

  /** Claims; a database that lost its identity only after a yes. Undefined after a no. */
  private async claim(yes: boolean) {
    try {
      return await this.invoke('dbClaim', { yes });
    } catch (error) {
      if (yes || !(error instanceof HxError) || error.facts?.['identity'] !== 'lost') throw error;
      const { environment } = this.settings;
      const question = `The database there has lost its identity. Make it the ${environment} one?`;
      const answer = await askYesNo(question, this.context);
      if (answer === undefined) throw error;
      return answer ? this.invoke('dbClaim', { yes: true }) : undefined;
    }
  }
}
