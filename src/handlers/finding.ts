import { toHxError } from '../base/errors.js';

/** One thing that hx needs or can use. */
export interface Finding {
  readonly name: string;
  /** `ok`; `missing`: something else takes its place, or only some commands need it; `broken`: hx needs it. */
  readonly state: 'ok' | 'missing' | 'broken';
  readonly detail: string;
  /** What to do about it; null when it is ok. */
  readonly fix: string | null;
}

/** A finding that needs nothing done. */
export function ok(name: string, detail: string): Finding {
  return { name, state: 'ok', detail, fix: null };
}

/** Tries something: fine with what it returns, else in the state `otherwise`. */
export async function attempt(
  name: string,
  otherwise: 'missing' | 'broken',
  work: () => Promise<string>,
): Promise<Finding> {
  try {
    return ok(name, await work());
  } catch (thrown) {
    return failed(name, otherwise, thrown);
  }
}

/** The finding for something that failed of an error. */
export function failed(name: string, state: 'missing' | 'broken', thrown: unknown): Finding {
  const { message, hint = null } = toHxError(thrown);
  return { name, state, detail: message, fix: hint };
}
