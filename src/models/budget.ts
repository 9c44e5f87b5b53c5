import { costOfTokens, type Price } from '../rpl/price.js';
import type { CallTokens } from './worst-case.js';

/** Sums of many small costs are off by some 1e-16 each; a limit of exactly what was spent must still hold. */
const ROUNDING_USD = 1e-9;

/**
 * What an invocation may cost at most. Before a call its worst case is set aside, after it the true cost counts;
 * so the limit holds whatever the answers cost. One object serves all claims of an invocation.
 */
export class Budget {
  readonly limitUsd: number;
  private readonly price: Price;
  private reservedUsd = 0;
  private settledUsd = 0;

  constructor(limitUsd: number, price: Price) {
    this.limitUsd = limitUsd;
    this.price = price;
  }

  /** What calls that have ended cost, in US dollars. */
  get spentUsd(): number {
    return this.settledUsd;
  }

  worstUsd(most: CallTokens): number {
    return costOfTokens(most, this.price);
  }

  /** Sets a call's worst case aside. @returns whether the limit allows for it. */
  reserve(most: CallTokens): boolean {
    const worstUsd = this.worstUsd(most);
    if (this.settledUsd + this.reservedUsd + worstUsd > this.limitUsd + ROUNDING_USD) return false;
    this.reservedUsd += worstUsd;
    return true;
  }

  /**
   * Replaces what was set aside for a call by what it cost.
   * @param used null when nobody knows: then the worst case counts.
   */
  settle(most: CallTokens, used: CallTokens | null): void {
    this.reservedUsd -= this.worstUsd(most);
    this.settledUsd += costOfTokens(used ?? most, this.price);
  }
}
