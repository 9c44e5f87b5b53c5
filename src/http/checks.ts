import { Hono, type Context as HonoContext } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { HxError } from '../base/errors.js';
import type { Context } from '../handlers/context.js';
import { invoke } from '../handlers/index.js';
import { rowToJson } from '../rpl/column.js';
import { CHECK_CONTEXT_COLUMNS, type CheckRecord, RUN_COLUMNS } from '../rpl/record.js';
import { problemOf } from './problem.js';

/** A bank is named over HTTP, never given by path: a path would let a caller read the server's files. */
const BANK_NAME = /^[a-z0-9][a-z0-9_-]*$/;

/** `POST /v1/checks` and `GET /v1/checks/:id`. */
export function checkRoutes(contextOf: (request: Request) => Context): Hono {
  const routes = new Hono();
  routes.post('/', async (c) => {
    const context = contextOf(c.req.raw);
    const body = await readBody(c);
    if (body['models'] !== undefined) return checkModels(c, body, context);
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

/** One claim put to several models: 201 when any check was stored, else the status of what failed. */
async function checkModels(
  c: HonoContext,
  body: Record<string, unknown>,
  context: Context,
): Promise<Response> {
  if (body['model'] !== undefined) {
    throw new HxError('usage', 'model and models: Expected one of them.', {
      hint: 'Send "model" for one check, or "models" for one of each.',
    });
  }
  const { request_id, results } = await invoke('checkModels', body, context);
  const shown = results.map((result) =>
    'error' in result
      ? { model: result.model, error: problemOf(result.error) }
      : { model: result.model, check: present(result.check) },
  );
  const bug = results.find((result) => 'error' in result && result.error.code === 'bug');
  // What the caller is not told goes into the log, as it does when the request fails as a whole.
  if (bug !== undefined && 'error' in bug) c.error = bug.error;
  const statuses = results.map((result) => ('error' in result ? result.error.httpStatus : 201));
  const status = statuses.find((one) => one === 201) ?? statuses[0] ?? 500;
  return c.json({ request_id, results: shown }, status as ContentfulStatusCode);
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
