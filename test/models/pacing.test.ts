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

test('overload takes three tenths off the calls in flight, once for calls that were under way together', () => {
  const pacing = makePacing();
  pacing.failed({ error: overload(), startedMs: 0, nowMs: 10, earlierFailures: 0 });
  pacing.failed({ error: overload(), startedMs: 5, nowMs: 11, earlierFailures: 0 });
  assert.is(pacing.limit, 11);
  pacing.failed({ error: overload(null, 529), startedMs: 12, nowMs: 20, earlierFailures: 0 });
  assert.is(pacing.limit, 7);
  for (let nowMs = 30; nowMs < 100; nowMs += 10) {
    pacing.failed({ error: overload(null, 503), startedMs: nowMs, nowMs, earlierFailures: 0 });
  }
  assert.is(pacing.limit, 1);
});

test('other failures leave the width alone', () => {
  const pacing = makePacing();
  pacing.failed({ error: overload(null, 500), startedMs: 0, nowMs: 1, earlierFailures: 0 });
  assert.is(pacing.limit, 16);
});

test('each window of answers allows one more call, up to the concurrency', () => {
  const pacing = makePacing(4);
  pacing.failed({ error: overload(), startedMs: 0, nowMs: 1, earlierFailures: 0 });
  assert.is(pacing.limit, 2);
  pacing.answered();
  assert.is(pacing.limit, 2);
  pacing.answered();
  assert.is(pacing.limit, 3);
  for (let index = 0; index < 20; index += 1) pacing.answered();
  assert.is(pacing.limit, 4);
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
  pacing.answered();
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
