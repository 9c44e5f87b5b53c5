import { Command, Option } from 'clipanion';
import * as t from 'typanion';
import { messageOf, toHxError } from '../../base/errors.js';
import { systemClock } from '../../base/time.js';
import { Accounts, Lanes } from '../../handlers/context.js';
import { EnvironmentCommand } from '../base.js';

const DEFAULT_PORT = 8_080;

export class ServeCommand extends EnvironmentCommand {
  static override paths = [['serve']];
  static override usage = Command.Usage({
    details:
      'POST /v1/checks with {"claim", "model"} answers with the check; with {"claim", "models": [...]}, with ' +
      '{"request_id", "results": [{"model", "check"} or {"model", "error"}]}. The other fields are those of hx check ' +
      '(k, r, t, b, bank, ...). Also GET /v1/checks/:id, /livez and /readyz. Listens on loopback unless HX_SERVE_TOKEN is set; ' +
      'then /v1 asks for it as a bearer token. Ctrl-C or SIGTERM lets requests in flight end. One JSON line a ' +
      'request on standard error.',
    examples: [
      ['On this machine', 'hx serve --port 8080'],
      ['In a container, with HX_SERVE_TOKEN set', 'hx serve --host 0.0.0.0 --env production'],
    ],
  });

  port = Option.String('--port', {
    description: `Port, 0 for any free one (${DEFAULT_PORT})`,
    validator: t.cascade(t.isNumber(), [t.isInteger(), t.isInInclusiveRange(0, 65_535)]),
  });
  host = Option.String('--host', '127.0.0.1', { description: 'Address to listen on' });

  async execute(): Promise<void> {
    await this.refuseMissingTarget();
    const { makeApp } = await import('../../http/app.js');
    const { DRAIN_MS, listen } = await import('../../http/server.js');
    const { settings, context } = this;
    const token = settings.get('HX_SERVE_TOKEN');
    // Requests outlive the first Ctrl-C while the server drains, so their signal is not the command's.
    const cutOff = new AbortController();
    const emit = () => {};
    const lanes = new Lanes(settings, cutOff.signal, emit);
    const accounts = new Accounts();
    const app = makeApp({
      contextOf: (request) => ({
        settings,
        clock: systemClock,
        signal: AbortSignal.any([request.signal, cutOff.signal]),
        emit,
        lanes,
        accounts,
      }),
      token,
      isStopping: () => context.signal.aborted,
      log: ({ error, ...entry }) => {
        const failure = error === undefined ? {} : { error: messageOf(error) };
        this.note(JSON.stringify({ time: new Date().toISOString(), ...entry, ...failure }));
      },
    });
    try {
      const server = await listen(app, { host: this.host, port: this.port ?? DEFAULT_PORT, token });
      if (this.json) this.printJson({ url: server.url, environment: settings.environment });
      else this.print(`hx serve: ${settings.environment} on ${server.url}`);
      await aborted(context.signal);
      this.note('hx serve: stopping; requests in flight may end.');
      const clean = await server.stop(DRAIN_MS);
      if (!clean) this.note('hx serve: some requests did not end in time and were cut off.');
    } finally {
      cutOff.abort();
      await lanes.close();
    }
  }

  /** A server whose database is not even named can answer nothing; one that is down may come up later. */
  private async refuseMissingTarget(): Promise<void> {
    try {
      await this.invoke('dbUrl', {});
    } catch (error) {
      if (toHxError(error).code !== 'unavailable') throw error;
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
