/**
 * xoshiro128** (Blackman and Vigna, 2018) on 32-bit integers, its state filled by SplitMix64 from a 64-bit
 * seed. Integers only, so a seed gives the same draws on every machine.
 */
export class Prng {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  /** @param seed unsigned 64-bit integer. */
  constructor(seed: bigint) {
    const [first, second] = splitMix64(seed, 2) as [bigint, bigint];
    this.a = Number(first & 0xffffffffn) | 0;
    this.b = Number(first >> 32n) | 0;
    this.c = Number(second & 0xffffffffn) | 0;
    this.d = Number(second >> 32n) | 0;
  }

  /** The next integer in [0, 2^32). */
  uint32(): number {
    const multiplied = Math.imul(this.b, 5);
    const result = Math.imul((multiplied << 7) | (multiplied >>> 25), 9);
    const shifted = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= shifted;
    this.d = (this.d << 11) | (this.d >>> 21);
    return result >>> 0;
  }

  /**
   * The next integer in [0, bound). The product stays below 2^53, so it is exact; for the bounds in use (at
   * most 2^17) the bias of the multiplication method is below 2^-15 of a draw and not worth a rejection loop.
   */
  below(bound: number): number {
    return Math.floor((this.uint32() * bound) / 4_294_967_296);
  }

  /** The next double in (0, 1): never 0, so that a logarithm of it exists. */
  uniform(): number {
    return (this.uint32() + 0.5) / 4_294_967_296;
  }

  /** The next standard normal deviate (Box and Muller, 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Shuffles an array in place (Fisher and Yates) and returns it. */
  shuffle<T>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      const moved = items[last] as T;
      items[last] = items[other] as T;
      items[other] = moved;
    }
    return items;
  }
}

/** The unsigned 64-bit integer in the first 16 hex digits of a hash. */
export function seedFromHash(hexHash: string): bigint {
  return BigInt(`0x${hexHash.slice(0, 16)}`);
}

function splitMix64(seed: bigint, count: number): bigint[] {
  const mask = 0xffffffffffffffffn;
  const words: bigint[] = [];
  let state = seed & mask;
  for (let index = 0; index < count; index += 1) {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let word = state;
    word = ((word ^ (word >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    word = ((word ^ (word >> 27n)) * 0x94d049bb133111ebn) & mask;
    words.push(word ^ (word >> 31n));
  }
  return words;
}
