import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Width } from '../../src/models/width.js';
import { Prng } from '../../src/rpl/prng.js';

const test = suite('width');

const LATENCY_MS = 200;

/**
 * Plays rounds of calls, each round as many as the width allows and all under way together.
 * @param isRefused of the call at a place in its round.
 * @returns the width and the share of refusals of each round.
 */
function play(width: Width, rounds: number, isRefused: (place: number) => boolean) {
  return Array.from({ length: rounds }, (_, round) => {
    const calls = width.limit;
    const [startedMs, endedMs] = [round * LATENCY_MS, (round + 1) * LATENCY_MS];
    let refused = 0;
    for (let place = 0; place < calls; place += 1) {
      if (!isRefused(place)) width.answered(endedMs);
      else {
        refused += 1;
        width.overloaded(startedMs, endedMs);
      }
    }
    return { calls, share: refused / calls };
  });
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

for (const limit of [4, 6, 10, 14]) {
  test(`a steady limit of ${limit} in flight is learned, and little is refused then`, () => {
    const rounds = play(new Width(16), 400, (place) => place >= limit).slice(100);
    const [calls, share] = [meanOf(rounds.map((one) => one.calls)), meanOf(rounds.map((one) => one.share))];
    // What is left are tries of one more, every 5 s.
    assert.ok(share < 0.08, `${share} refused`);
    assert.ok(calls > 0.9 * limit && calls < 1.1 * limit, `${calls} in flight`);
  });
}

test('refusals by chance, at any width, leave the width nearly as it is', () => {
  for (let seed = 1n; seed <= 20n; seed += 1n) {
    const prng = new Prng(seed);
    const rounds = play(new Width(16), 150, () => prng.below(10) === 0);
    const calls = meanOf(rounds.map((one) => one.calls));
    assert.ok(calls > 16 / 1.2, `seed ${seed}: ${calls} in flight`);
  }
});

test('a limit that is lifted is found out: the width comes back', () => {
  const width = new Width(16);
  play(width, 100, (place) => place >= 6);
  assert.ok(width.limit < 9);
  play(width, 600, () => false);
  assert.is(width.limit, 16);
});

test.run();
