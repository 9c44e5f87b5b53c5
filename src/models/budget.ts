import { costOfTokens, type Price } from '../rpl/price.js';
import type { CallTokens } from './worst-case.js';

/** Sums of many small costs are off by some 1e-16 each; a limit of exactly what was spent must still hold. */
const ROUNDING_USD = 1e-9;

/** What an invocation may spend in all, whichever models draw on it. */
export class Purse {
  readonly limitUsd: number;
  reservedUsd = 0;
  spentUsd = 0;
  /** Who waits for what is set aside to come back. */
  readonly waiting: (() => void)[] = [];

  constructor(limitUsd: number) {
    this.limitUsd = limitUsd;
  }
}

/**
 * One model's way into the purse. Before a call its worst case is set aside, after it the true cost counts; so the
 * limit holds whatever the answers cost. One object serves all claims of an invocation.
 */
export class Budget {
  private readonly purse: Purse;
  private readonly price: Price;

  constructor(purse: Purse, price: Price) {
    this.purse = purse;
    this.price = price;
  }

  get limitUsd(): number {
    return this.purse.limitUsd;
  }

  /** What calls that have ended cost, in US dollars. */
  get spentUsd(): number {
    return this.purse.spentUsd;
  }

  /** Whether calls are under way, of any model, that will most likely cost less than what is set aside for them. */
  get hasReserved(): boolean {
    return this.purse.reservedUsd > ROUNDING_USD;
  }

  /** Calls back once, after the next call has ended. */
  onceSettled(listener: () => void): void {
    this.purse.waiting.push(listener);
  }

  worstUsd(most: CallTokens): number {
    return costOfTokens(most, this.price);
  }

  /** Sets a call's worst case aside. @returns whether the limit allows for it. */
  reserve(most: CallTokens): boolean {
    const { limitUsd, reservedUsd, spentUsd } = this.purse;
    const worstUsd = this.worstUsd(most);
    if (spentUsd + reservedUsd + worstUsd > limitUsd + ROUNDING_USD) return false;
    this.purse.reservedUsd += worstUsd;
    return true;
  }

  /**
   * Replaces what was set aside for a call by what it cost.
   * @param used null when nobody knows: then the worst case counts.
   */
  settle(most: CallTokens, used: CallTokens | null): void {
    this.purse.reservedUsd -= this.worstUsd(most);
    this.purse.spentUsd += costOfTokens(used ?? most, this.price);
    for (const listener of this.purse.waiting.splice(0)) listener();
  }
}
