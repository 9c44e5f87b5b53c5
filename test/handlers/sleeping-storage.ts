import type { LakeStorage } from '../../src/lake/storage/storage.js';

/** A machine's way to the lake, on which it falls asleep before one of its calls, and goes on with that call. */
export class Sleep {
  /** Calls so far. */
  calls = 0;
  /** The call before which it sleeps. */
  what = '';
  readonly begun: Promise<void>;
  private readonly begin: () => void;
  private readonly woken: Promise<void>;
  private readonly end: () => void;
  private readonly at: number;

  /** @param at the number of that call, from 1. */
  constructor(at: number) {
    const [begun, begin] = signal();
    const [woken, end] = signal();
    this.begun = begun;
    this.begin = begin;
    this.woken = woken;
    this.end = end;
    this.at = at;
  }

  wake(): void {
    this.end();
  }

  /** The same storage, or a file staged in it, with the sleep. */
  over<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name);
        if (typeof value !== 'function') return value;
        return async (...given: unknown[]) => {
          await this.pass(`${String(name)} ${String(given[0] ?? '')}`);
          const result: unknown = await value.apply(object, given);
          return name === ('stage' satisfies keyof LakeStorage) ? this.over(result as object) : result;
        };
      },
    });
  }

  private async pass(what: string): Promise<void> {
    this.calls += 1;
    if (this.calls !== this.at) return;
    this.what = what;
    this.begin();
    await this.woken;
  }
}

function signal(): [Promise<void>, () => void] {
  let send = () => {};
  const sent = new Promise<void>((resolve) => {
    send = resolve;
  });
  return [sent, send];
}
