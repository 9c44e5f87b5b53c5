import { HxError } from '../base/errors.js';

/**
 * Refuses resamples and a seed where nothing is resampled.
 * @param method what settles the interval instead, as it begins a sentence; undefined where a bootstrap does.
 * @throws HxError `usage` naming the fields.
 */
export function refuseIdleResampling(
  { b, seed }: { readonly b?: number | undefined; readonly seed?: string | undefined },
  method: string | undefined,
): void {
  const given = Object.entries({ b, seed }).flatMap(([name, value]) => (value === undefined ? [] : name));
  if (method === undefined || given.length === 0) return;
  throw new HxError('usage', `${method} makes no bootstrap, which ${given.join(' and ')} would shape.`, {
    hint: 'Leave out -B and --seed, or choose the estimator rpl-1 or rpl-2.',
  });
}
