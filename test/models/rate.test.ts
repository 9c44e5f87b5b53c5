import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RateWindow } from '../../src/models/rate.js';

test('what fits goes at once; the next waits until enough has left the minute', () => {
  const window = new RateWindow(3);
  for (const nowMs of [0, 10, 20]) {
    assert.is(window.readyMs(1, nowMs), nowMs);
    window.take(1, nowMs);
  }
  assert.is(window.readyMs(1, 30), 60_000);
  assert.is(window.readyMs(2, 30), 60_010);
  assert.is(window.readyMs(1, 60_000), 60_000);
});

test('without a limit nothing waits', () => {
  const window = new RateWindow(Number.POSITIVE_INFINITY);
  for (let index = 0; index < 100; index += 1) window.take(1e9, 0);
  assert.is(window.readyMs(1e9, 0), 0);
});

test('an amount beyond the limit goes alone instead of never', () => {
  const window = new RateWindow(100);
  assert.is(window.readyMs(500, 0), 0);
  window.take(500, 0);
  assert.is(window.readyMs(1, 1), 60_000);
});

test('a correction frees what was not used, and counts what was used beyond', () => {
  const window = new RateWindow(100);
  const entry = window.take(100, 0);
  assert.is(window.readyMs(50, 1), 60_000);
  window.correct(entry, 40);
  assert.is(window.readyMs(50, 1), 1);
  window.correct(entry, 90);
  assert.is(window.readyMs(50, 1), 60_000);
});

test('no minute ever holds more than the limit, whatever comes when', () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 40_000 }),
    amount: fc.integer({ min: 1, max: 50 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 50, max: 200 }), (steps, limit) => {
      const window = new RateWindow(limit);
      const taken: { atMs: number; amount: number }[] = [];
      let nowMs = 0;
      for (const { waitMs, amount } of steps) {
        nowMs = window.readyMs(amount, nowMs + waitMs);
        taken.push({ atMs: nowMs, amount });
        window.take(amount, nowMs);
      }
      for (const { atMs } of taken) {
        const inMinute = taken.filter((other) => other.atMs >= atMs && other.atMs < atMs + 60_000);
        assert.ok(inMinute.reduce((sum, { amount }) => sum + amount, 0) <= limit);
      }
    }),
    { numRuns: 300 },
  );
});

test.run();
