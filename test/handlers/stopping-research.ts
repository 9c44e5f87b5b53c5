/**
 * Measures a claim by research with the settings of its environment, and stops itself (SIGSTOP) at the moment at which
 * it would give the run to the lake. Arguments: the claim, and `before` or `after` for the side of that call.
 */
import process from 'node:process';
import { systemClock } from '../../src/base/time.js';
import { Accounts } from '../../src/handlers/context.js';
import { invoke } from '../../src/handlers/index.js';
import { lakePlace } from '../../src/handlers/lake-place.js';
import { openLakeStorage } from '../../src/lake/storage/open.js';
import type { LakeStorage } from '../../src/lake/storage/storage.js';
import { makeTestSettings } from '../helpers.js';
import { LanesTo } from './machines.js';

const [claim = '', side = ''] = process.argv.slice(2);
const { HX_DATA_DIR: dataDir = '', ...rest } = process.env;
const settings = makeTestSettings({ ...rest, dataDir });
const { signal } = new AbortController();

/** The lake, where the process stops before or after it takes a new file. */
function stopping(storage: LakeStorage): LakeStorage {
  return new Proxy(storage, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name !== ('putIfAbsent' satisfies keyof LakeStorage)) {
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return async (...given: Parameters<LakeStorage['putIfAbsent']>) => {
        if (side === 'before') process.kill(process.pid, 'SIGSTOP');
        const result = await target.putIfAbsent(...given);
        if (side === 'after') process.kill(process.pid, 'SIGSTOP');
        return result;
      };
    },
  });
}

const emit = () => {};
const lanes = new LanesTo(
  stopping(await openLakeStorage(lakePlace(settings, signal))),
  settings,
  signal,
  emit,
);
const context = { settings, clock: systemClock, signal, emit, lanes, accounts: new Accounts() };
const input = { claims: [{ claim }], models: ['simulator/default'], k: 4, r: 1, b: 200 };
for await (const result of await invoke('research', input, context)) {
  if (!('run' in result)) throw result.error;
}
await lanes.close();
