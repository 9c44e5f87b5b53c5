import { Hono, type Context as HonoContext } from 'hono';
import { HxError } from '../base/errors.js';
import type { Context } from '../handlers/context.js';
import { invoke } from '../handlers/index.js';
import { rowToJson } from '../rpl/column.js';
import { CHECK_CONTEXT_COLUMNS, type CheckRecord, RUN_COLUMNS } from '../rpl/record.js';

/** A bank is named over HTTP, never given by path: a path would let a caller read the server's files. */
const BANK_NAME = /^[a-z0-9][a-z0-9_-]*$/;

/** `POST /v1/checks` and `GET /v1/checks/:id`. */
export function checkRoutes(contextOf: (request: Request) => Context): Hono {
  const routes = new Hono();
  routes.post('/', async (c) => {
    const context = contextOf(c.req.raw);
    const body = await readBody(c);
    if (body['model'] === undefined && context.settings.get('HX_MODEL') === undefined) {
      throw new HxError('usage', 'model: Expected a model, as this server has none of its own.', {
        hint: 'Send {"claim": "...", "model": "provider/name"}.',
      });
    }
    const record = await invoke('check', body, context);
    c.header('location', `/v1/checks/${record.run_id}`);
    return c.json(present(record), 201);
  });
  routes.get('/:id', async (c) => {
    const record = await invoke('checkGet', { run_id: c.req.param('id') }, contextOf(c.req.raw));
    return c.json(present(record));
  });
  return routes;
}

function present(record: CheckRecord): Record<string, unknown> {
  return rowToJson([...RUN_COLUMNS, ...CHECK_CONTEXT_COLUMNS], record);
}

async function readBody(c: HonoContext): Promise<Record<string, unknown>> {
  let body: unknown;
  try {
    body = JSON.parse(await c.req.text());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new HxError('usage', 'The body is not JSON.', { hint: 'Send {"claim": "..."}.', cause: error });
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new HxError('usage', 'The body is not a JSON object.', { hint: 'Send {"claim": "..."}.' });
  }
  if ('bank' in body && !(typeof body.bank === 'string' && BANK_NAME.test(body.bank))) {
    throw new HxError('usage', 'bank: Expected the name of a bank.', {
      hint: 'Leave it out for the default.',
    });
  }
  return body as Record<string, unknown>;
}
