import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Account, Accounts } from '../../src/models/account.js';
import { retryAfterMs } from '../../src/models/failure.js';
import { ModelCallError } from '../../src/models/model.js';
import { Pacing } from '../../src/models/pacing.js';

function overload(retryAfter: number | null = null, status = 429): ModelCallError {
  return new ModelCallError('busy', { kind: 'retryable', status, retryAfterMs: retryAfter });
}

function makePacing(concurrency = 16, random = 1): Pacing {
  return new Pacing({ concurrency, maxWaitMs: 120_000, random: () => random });
}

/** One call that starts and ends at `nowMs`. @returns its sample's wait when it was refused. */
function end(pacing: Pacing, isRefused: boolean, nowMs: number, retryAfter: number | null = null) {
  if (isRefused) {
    return pacing.failed({ error: overload(retryAfter), startedMs: nowMs, nowMs, earlierFailures: 0 });
  }
  pacing.answered(nowMs);
  return undefined;
}

test('overload without any answer halves the width, once for calls that were under way together', () => {
  const pacing = makePacing();
  pacing.failed({ error: overload(), startedMs: 0, nowMs: 10, earlierFailures: 0 });
  pacing.failed({ error: overload(), startedMs: 5, nowMs: 11, earlierFailures: 0 });
  assert.is(pacing.limit, 8);
  pacing.failed({ error: overload(null, 529), startedMs: 12, nowMs: 20, earlierFailures: 0 });
  assert.is(pacing.limit, 4);
  for (let nowMs = 30; nowMs < 100; nowMs += 10) {
    pacing.failed({ error: overload(null, 503), startedMs: nowMs, nowMs, earlierFailures: 0 });
  }
  assert.is(pacing.limit, 1);
});

test('refusals spread over one call in ten hold up their own samples only', () => {
  const pacing = makePacing();
  for (let nowMs = 1; nowMs < 2_000; nowMs += 1) {
    const waitMs = end(pacing, nowMs % 10 === 0, nowMs, 20_000);
    assert.is(waitMs, nowMs % 10 === 0 ? 20_000 : undefined);
    assert.is(pacing.notBeforeMs, Number.NEGATIVE_INFINITY);
    // A narrower width is tried now and then, to see whether it helps.
    assert.ok(pacing.limit >= 14, `${pacing.limit} after ${nowMs}`);
  }
  assert.is(pacing.limit, 16);
});

test('any order of answers and at most one in ten refused leaves the width nearly as it is, after a first window of answers', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 200 }), (places) => {
      const pacing = makePacing();
      for (let nowMs = 0; nowMs < 16; nowMs += 1) end(pacing, false, nowMs);
      places.forEach((place, block) => {
        for (let call = 0; call < 10; call += 1) end(pacing, call === place, 16 + block * 10 + call);
      });
      assert.ok(pacing.limit >= 13, String(pacing.limit));
    }),
  );
});

test('a pace is well between failures that may be chance, not before any answer nor in a long row of failures', () => {
  const pacing = makePacing();
  assert.not(pacing.isWell);
  pacing.answered(0);
  for (let failures = 0; failures < 8; failures += 1) {
    assert.ok(pacing.isWell, String(failures));
    pacing.failed({ error: overload(null, 500), startedMs: 1, nowMs: 1, earlierFailures: 0 });
  }
  assert.not(pacing.isWell);
  pacing.answered(2);
  assert.ok(pacing.isWell);
});

test('the width stays between one call and the concurrency, whatever comes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 256 }),
      fc.array(fc.boolean(), { maxLength: 500 }),
      (width, refusals) => {
        const pacing = makePacing(width);
        refusals.forEach((isRefused, index) => {
          end(pacing, isRefused, index * 100);
          assert.ok(pacing.limit >= 1 && pacing.limit <= width);
        });
      },
    ),
  );
});

test('a row of refusals lowers the width and silences the account until an answer comes', () => {
  const pacing = makePacing();
  for (let nowMs = 0; nowMs < 50; nowMs += 1) end(pacing, false, nowMs);
  let refused = 0;
  while (pacing.limit === 16 && refused < 100) {
    refused += 1;
    end(pacing, true, 50 + refused, 1_000);
  }
  assert.ok(refused > 5 && refused < 15, String(refused));
  assert.is(pacing.notBeforeMs, 1_050 + refused);
  end(pacing, true, 2_000, 3_000);
  assert.equal([pacing.limit, pacing.notBeforeMs], [4, 5_000], 'the next refusal counts at once');
  end(pacing, false, 6_000);
  end(pacing, true, 6_001, 9_000);
  assert.equal([pacing.limit, pacing.notBeforeMs], [4, 5_000], 'an answer came between');
});

test('other failures leave the width alone', () => {
  const pacing = makePacing();
  pacing.failed({ error: overload(null, 500), startedMs: 0, nowMs: 1, earlierFailures: 0 });
  assert.is(pacing.limit, 16);
});

test('each window of answers allows one more call, up to what was too much; that is tried seldom', () => {
  const pacing = makePacing(8);
  end(pacing, false, 0);
  while (pacing.limit === 8) end(pacing, true, 1);
  assert.is(pacing.limit, 4);
  for (let call = 0; call < 4 + 5 + 6; call += 1) {
    assert.is(pacing.limit, call < 4 ? 4 : call < 9 ? 5 : 6);
    end(pacing, false, 10);
  }
  for (let call = 0; call < 500; call += 1) end(pacing, false, 10);
  assert.is(pacing.limit, 7);
  end(pacing, false, 5_009);
  assert.is(pacing.limit, 7);
  end(pacing, false, 5_010);
  assert.is(pacing.limit, 8);
});

test('backoff doubles, is capped, and Retry-After silences the account', () => {
  const pacing = makePacing();
  const delay = (earlierFailures: number) =>
    makePacing().failed({ error: overload(), startedMs: 0, nowMs: 0, earlierFailures });
  assert.equal([delay(0), delay(1), delay(3), delay(30)], [500, 1_000, 4_000, 30_000]);
  assert.is(pacing.failed({ error: overload(2_000), startedMs: 0, nowMs: 100, earlierFailures: 0 }), 2_000);
  assert.is(pacing.notBeforeMs, 2_100);
  pacing.failed({ error: overload(500), startedMs: 0, nowMs: 100, earlierFailures: 0 });
  assert.is(pacing.notBeforeMs, 2_100);
});

test('waiting is counted from the first failure since the last answer', () => {
  const pacing = makePacing(16, 0);
  const failAt = (nowMs: number) =>
    pacing.failed({ error: overload(50_000), startedMs: nowMs, nowMs, earlierFailures: 0 });
  assert.is(failAt(0), 50_000);
  assert.is(failAt(60_000), 50_000);
  assert.is(failAt(90_000), null);
  pacing.answered(90_000);
  assert.is(failAt(90_000), 50_000);
});

test('a wait of some length is said once, with its reason', () => {
  const said: string[] = [];
  const pacing = new Pacing({
    concurrency: 4,
    account: new Account({ requestsPerMinute: 1 }),
    onWait: (text) => void said.push(text),
  });
  const fail = (retryAfter: number, nowMs: number) =>
    pacing.failed({ error: overload(retryAfter), startedMs: nowMs, nowMs, earlierFailures: 0 });
  fail(500, 0);
  assert.equal(said, []);
  fail(5_000, 0);
  fail(5_000, 10);
  assert.equal(said, ['busy Waiting 5 s.']);
  pacing.sent(1, 10_000);
  pacing.readyMs(1, 10_000);
  pacing.readyMs(1, 10_500);
  assert.is(said.length, 2);
  assert.match(said[1] ?? '', "This minute's allowance");
  fail(1_000_000, 20_000);
  assert.is(said.length, 2, 'it stops instead');
});

test('what one request learns or uses of an account, another one respects', () => {
  const accounts = new Accounts();
  const identity = { model: 'openai/m', provider: 'openai', baseUrl: 'http://a', simulated: false };
  const paceOf = (changes = {}) =>
    new Pacing({
      concurrency: 4,
      account: accounts.of({ ...identity, ...changes }, { requestsPerMinute: 2 }),
    });
  const [first, second] = [paceOf(), paceOf()];
  const [otherModel, otherServer] = [paceOf({ model: 'openai/n' }), paceOf({ baseUrl: 'http://b' })];
  first.failed({ error: overload(3_000), startedMs: 0, nowMs: 0, earlierFailures: 0 });
  assert.equal([first.notBeforeMs, second.notBeforeMs], [3_000, 3_000]);
  first.sent(1, 5_000);
  second.sent(1, 6_000);
  assert.is(first.readyMs(1, 7_000), 65_000);
  for (const other of [otherModel, otherServer]) {
    assert.equal([other.notBeforeMs, other.readyMs(1, 7_000)], [Number.NEGATIVE_INFINITY, 7_000]);
  }
});

test('Retry-After is read in seconds, in milliseconds and as a date by the clock of the server', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  assert.is(retryAfterMs({ 'retry-after': '7' }, now), 7_000);
  assert.is(retryAfterMs({ 'retry-after': '1.5' }, now), 1_500);
  assert.is(retryAfterMs({ 'retry-after-ms': '250', 'retry-after': '9' }, now), 250);
  const until = 'Thu, 01 Jan 2026 01:00:30 GMT';
  assert.is(retryAfterMs({ 'retry-after': until }, Date.parse('2026-01-01T01:00:00Z')), 30_000);
  assert.is(retryAfterMs({ 'retry-after': until, date: 'Thu, 01 Jan 2026 01:00:20 GMT' }, now), 10_000);
  assert.is(retryAfterMs({ 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, now), 0);
  assert.is(retryAfterMs({ 'retry-after': 'soon' }, now), null);
  assert.is(retryAfterMs({}, now), null);
});

test.run();
