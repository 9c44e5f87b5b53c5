import { HxError } from '../base/errors.js';
import type { Bank } from '../rpl/bank.js';
import { bankName } from '../rpl/bank-diff.js';
import { SIZE } from '../rpl/plan.js';

/**
 * Refuses resamples and a seed where nothing is resampled.
 * @param method what settles the interval instead, as it begins a sentence; undefined where a bootstrap does.
 * @throws HxError `usage` naming the fields.
 */
export function refuseIdleResampling(
  { b, seed }: { readonly b?: number | undefined; readonly seed?: string | undefined },
  method: 'A wanted width' | 'The estimator t' | undefined,
): void {
  const given = Object.entries({ b, seed }).flatMap(([name, value]) => (value === undefined ? [] : name));
  if (method === undefined || given.length === 0) return;
  throw new HxError('usage', `${method} makes no bootstrap, which ${given.join(' and ')} would shape.`, {
    hint: `Leave out -B and --seed, or ${method === 'A wanted width' ? '--width' : 'choose the estimator rpl-1 or rpl-2'}.`,
  });
}

/**
 * Refuses more templates than slots or bank can hold: fewer would be asked than were wanted.
 * @throws HxError `usage` naming t and what limits it.
 */
export function refuseUnreachableTemplates(
  { k = SIZE.k.default, t }: { readonly k?: number | undefined; readonly t?: number | undefined },
  bank: Bank,
): void {
  const inBank = bank.templates.length;
  if (t === undefined || t <= Math.min(k, inBank)) return;
  if (t > inBank) {
    throw new HxError('usage', `t is ${t}, but the bank ${bankName(bank)} has ${inBank} templates.`, {
      hint: `Choose -T from ${SIZE.t.minimum} to ${inBank}, or a larger bank: hx bank list.`,
    });
  }
  throw new HxError('usage', `t is ${t}, but k is ${k}: so many slots hold no more templates.`, {
    hint: `Use -K ${t} or more as well, or a smaller -T.`,
  });
}
