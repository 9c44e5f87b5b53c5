import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { ask } from '../../src/models/ask.js';
import { Pacing } from '../../src/models/pacing.js';
import { isUsable } from '../../src/rpl/sample.js';
import { askAll, makeSamples, modelAt, optionsFor, tally, withServer } from './samples.js';
import { type Behaviour, startModelServer } from './server.js';

function errorOf(thrown: unknown): HxError {
  assert.instance(thrown, HxError);
  return thrown as HxError;
}

test('every sample is asked once, never more than the allowed number at a time', async () => {
  await withServer(startModelServer({ latencyMs: 10 }), async (server) => {
    const model = await modelAt(server, 'compatible');
    const { attempts, error } = await askAll(optionsFor(model, 40, { concurrency: 8 }));
    assert.is(error, undefined);
    assert.is(new Set(attempts.map(({ sampleKey }) => sampleKey)).size, 40);
    assert.equal([attempts.length, server.calls.length], [40, 40]);
    assert.is(server.widest(), 8);
    const [first] = attempts;
    assert.equal([first?.ordinal, first?.status, first?.probTrue, first?.problem], [1, 'valid', 0.7, null]);
    assert.equal([first?.tokensIn, first?.tokensOut, first?.systemFingerprint], [90, 60, 'fp_test']);
    assert.instance(first?.startedAt, Date);
  });
});

test('one 429 among 16 calls makes 17 calls, and only its own sample waits for its Retry-After', async () => {
  const respond = (_: unknown, index: number): Behaviour =>
    index === 3 ? { type: 'error', status: 429, headers: { 'retry-after': '2' } } : { type: 'good' };
  await withServer(startModelServer({ respond }), async (server) => {
    const model = await modelAt(server, 'openai');
    const { attempts, error } = await askAll(optionsFor(model, 16, { concurrency: 4 }));
    assert.is(error, undefined);
    assert.is(server.calls.length, 17);
    assert.equal(tally(attempts.map(({ status }) => status)), { valid: 16, failed: 1 });
    const failed = attempts.find(({ status }) => status === 'failed');
    const again = attempts.find(({ sampleKey, ordinal }) => sampleKey === failed?.sampleKey && ordinal === 2);
    assert.is(again?.status, 'valid');
    assert.match(failed?.problem ?? '', 'answered 429');
    // Were the account silent, eleven samples would come after the retry instead of before it.
    assert.equal(server.calls.at(-1)?.body, server.calls[3]?.body);
    assert.ok((server.calls.at(-1)?.atMs ?? 0) - (server.calls[3]?.atMs ?? 0) >= 1_990);
  });
});

test('a wait for the only sample that is left is said', async () => {
  const respond = (_: unknown, index: number): Behaviour =>
    index === 1 ? { type: 'error', status: 429, headers: { 'retry-after': '30' } } : { type: 'good' };
  await withServer(startModelServer({ respond }), async (server) => {
    const controller = new AbortController();
    const said: string[] = [];
    const onWait = (message: string) => {
      said.push(message);
      controller.abort('said');
    };
    const model = await modelAt(server, 'openai');
    const pacing = new Pacing({ concurrency: 1, onWait });
    const { error } = await askAll(optionsFor(model, 4, { pacing, signal: controller.signal }));
    assert.equal([error, server.calls.length], ['said', 4]);
    assert.equal(said, ['Only samples whose calls failed are left. Waiting 30 s.']);
  });
});

test('while nothing is answered, Retry-After is waited for by the whole account', async () => {
  const respond = (_: unknown, index: number): Behaviour =>
    index < 4 ? { type: 'error', status: 429, headers: { 'retry-after': '0.3' } } : { type: 'good' };
  await withServer(startModelServer({ respond, latencyMs: 5 }), async (server) => {
    const { attempts, error } = await askAll(
      optionsFor(await modelAt(server, 'openai'), 16, { concurrency: 4 }),
    );
    assert.is(error, undefined);
    assert.equal(tally(attempts.map(({ status }) => status)), { valid: 16, failed: 4 });
    const waits = server.calls.slice(4).map(({ atMs }) => atMs - (server.calls[3]?.atMs ?? 0));
    assert.ok(Math.min(...waits) >= 295, waits.join(' '));
  });
});

test('an unusable answer gets one retry with the next ordinal, a refusal none', async () => {
  const types = { 'Wording 0': 'off-schema', 'Wording 1': 'refusal', 'Wording 2': 'leak' } as const;
  const seen = new Map<string, number>();
  const respond = ({ body }: { body: unknown }): Behaviour => {
    const key = Object.keys(types).find((name) => JSON.stringify(body).includes(name)) ?? '';
    seen.set(key, (seen.get(key) ?? 0) + 1);
    if (key === 'Wording 2' && seen.get(key) === 2) return { type: 'good' };
    return { type: types[key as keyof typeof types] };
  };
  await withServer(startModelServer({ respond }), async (server) => {
    const { attempts } = await askAll(optionsFor(await modelAt(server, 'openai'), 3));
    const of = (index: number) =>
      attempts
        .filter(({ sampleKey }) => sampleKey === `key-${index}`)
        .map(({ ordinal, status }) => `${ordinal} ${status}`);
    assert.equal(of(0), ['1 invalid', '2 invalid']);
    assert.equal(of(1), ['1 refused']);
    assert.equal(of(2), ['1 leaked', '2 valid']);
  });
});

test('ordinals and the one retry go on from calls made earlier', async () => {
  await withServer(startModelServer({ respond: () => ({ type: 'off-schema' }) }), async (server) => {
    const model = await modelAt(server, 'compatible');
    const earlier = new Map([
      ['key-1', { calls: 4, hasUnusable: false }],
      ['key-2', { calls: 1, hasUnusable: true }],
    ]);
    const { attempts } = await askAll(optionsFor(model, 3, { earlier, concurrency: 1 }));
    assert.equal(
      attempts.map(({ sampleKey, ordinal }) => `${sampleKey} ${ordinal}`),
      ['key-0 1', 'key-0 2', 'key-1 5', 'key-1 6', 'key-2 2'],
    );
  });
});

test('a call that hangs is given up at its deadline and made again', async () => {
  const respond = (_: unknown, index: number): Behaviour => ({ type: index === 0 ? 'hang' : 'good' });
  await withServer(startModelServer({ respond }), async (server) => {
    const model = await modelAt(server, 'openai');
    const { attempts, error } = await askAll(optionsFor(model, 1, { deadlineMs: 100 }));
    assert.is(error, undefined);
    assert.equal(
      attempts.map(({ ordinal, status }) => [ordinal, status]),
      [
        [1, 'failed'],
        [2, 'valid'],
      ],
    );
    assert.match(attempts[0]?.problem ?? '', 'no answer within 100 ms');
  });
});

test('a sample whose calls keep failing ends after its tries; the others are answered', async () => {
  const respond = ({ body }: { body: unknown }): Behaviour =>
    JSON.stringify(body).includes('Wording 2:') ? { type: 'error', status: 500 } : { type: 'good' };
  await withServer(startModelServer({ respond }), async (server) => {
    const model = await modelAt(server, 'compatible');
    const { attempts, error } = await askAll(optionsFor(model, 6, { maxAttempts: 3 }));
    assert.is(error, undefined);
    assert.equal(tally(attempts.map(({ status }) => status)), { valid: 5, failed: 3 });
  });
});

test('a 429 is no fault of the sample: however many there are, its tries are not used up', async () => {
  const respond = ({ body }: { body: unknown }, index: number): Behaviour =>
    JSON.stringify(body).includes('Wording 2:') && index < 12
      ? { type: 'error', status: 429 }
      : { type: 'good' };
  await withServer(startModelServer({ respond }), async (server) => {
    const model = await modelAt(server, 'compatible');
    const { attempts, error } = await askAll(optionsFor(model, 6, { maxAttempts: 3 }));
    assert.is(error, undefined);
    assert.equal(tally(attempts.map(({ status }) => status)), { valid: 6, failed: 7 });
  });
});

test('mixed faults over 300 samples lose no call and double none', async () => {
  const faults: Behaviour[] = [
    { type: 'error', status: 429, headers: { 'retry-after': '0' } },
    { type: 'error', status: 500 },
    { type: 'error', status: 503 },
    { type: 'reset' },
    { type: 'html' },
    { type: 'off-schema' },
    { type: 'fenced' },
    { type: 'truncated' },
    { type: 'refusal' },
    { type: 'leak' },
    { type: 'hang' },
  ];
  const respond = (_: unknown, index: number): Behaviour =>
    (index % 4 === 1 ? faults[Math.floor(index / 4) % faults.length] : undefined) ?? { type: 'good' };
  await withServer(startModelServer({ respond }), async (server) => {
    const model = await modelAt(server, 'openai');
    const { attempts, error } = await askAll(optionsFor(model, 300, { concurrency: 16, deadlineMs: 3_000 }));
    assert.is(error, undefined);
    assert.is(attempts.length, server.calls.length, 'every request is one attempt');
    const bySample = new Map<string, typeof attempts>();
    for (const attempt of attempts) {
      bySample.set(attempt.sampleKey, [...(bySample.get(attempt.sampleKey) ?? []), attempt]);
    }
    assert.is(bySample.size, 300);
    for (const [sampleKey, own] of bySample) {
      assert.equal(
        own.map(({ ordinal }) => ordinal),
        own.map((_attempt, index) => index + 1),
        sampleKey,
      );
      const settled = own.filter(({ status }) => isUsable(status) || status === 'refused');
      assert.ok(settled.length <= 1 && (settled.length === 0 || own.at(-1) === settled[0]), sampleKey);
    }
    const requested = tally(server.calls.map(({ body }) => JSON.stringify(body?.['input'])));
    assert.equal(
      Object.values(requested).sort(),
      [...bySample.values()].map((own) => own.length).sort(),
      'each request carried its own sample',
    );
  });
});

test('one answer in ten a 429 or 503: 2,000 samples, none lost, none asked twice', async () => {
  const respond = (_: unknown, index: number): Behaviour => {
    if (index % 10 !== 3) return { type: 'good' };
    return index % 20 === 3
      ? { type: 'error', status: 429, headers: { 'retry-after': '0.005' } }
      : { type: 'error', status: 503 };
  };
  await withServer(startModelServer({ respond }), async (server) => {
    const model = await modelAt(server, 'compatible');
    const { attempts, error } = await askAll(optionsFor(model, 2_000, { concurrency: 64 }));
    assert.is(error, undefined);
    const good = attempts.filter(({ status }) => status === 'valid').map(({ sampleKey }) => sampleKey);
    assert.equal([good.length, new Set(good).size], [2_000, 2_000]);
    assert.is(attempts.length, server.calls.length, 'every request is one attempt');
    const faults = server.calls.filter((_call, index) => index % 10 === 3).length;
    assert.is(attempts.length, 2_000 + faults);
  });
});

test('what one asking learns of the account holds for the next', async () => {
  const respond = (_: unknown, index: number): Behaviour =>
    index < 16 ? { type: 'error', status: 429 } : { type: 'good' };
  await withServer(startModelServer({ respond, latencyMs: 5 }), async (server) => {
    const options = optionsFor(await modelAt(server, 'compatible'), 16);
    await askAll(options);
    const limit = options.pacing.limit;
    assert.ok(limit < 16, String(limit));
    const before = server.calls.length;
    await askAll({ ...options, samples: makeSamples(limit) });
    assert.ok(Math.max(...server.calls.slice(before).map(({ openRequests }) => openRequests)) <= limit);
  });
});

test('a minute holds no more requests, and no more tokens, than allowed', async () => {
  for (const limits of [{ requestsPerMinute: 5 }, { tokensPerMinute: 5 * 150 + 2_500 }]) {
    await withServer(startModelServer(), async (server) => {
      const options = optionsFor(await modelAt(server, 'compatible'), 40, { ...limits, concurrency: 1 });
      const controller = new AbortController();
      let answers = 0;
      const asking = (async () => {
        for await (const _ of ask({ ...options, signal: controller.signal })) answers += 1;
      })().catch((reason: unknown) => reason);
      // The sixth would be sent at once if nothing held it back.
      while (answers < 5) await new Promise((done) => setTimeout(done, 5));
      await new Promise((done) => setTimeout(done, 50));
      controller.abort('enough');
      assert.is(await asking, 'enough');
      if ('requestsPerMinute' in limits) assert.is(server.calls.length, 5);
      else assert.ok(server.calls.length < 12, String(server.calls.length));
    });
  }
});

test('an abort stops new calls, keeps what comes within the grace, then throws its reason', async () => {
  await withServer(startModelServer({ latencyMs: 60 }), async (server) => {
    const controller = new AbortController();
    const reason = new HxError('interrupted', 'Interrupted.');
    const model = await modelAt(server, 'compatible');
    const kept: string[] = [];
    try {
      for await (const attempt of ask(optionsFor(model, 50, { concurrency: 4, signal: controller.signal }))) {
        kept.push(attempt.status);
        if (kept.length === 5) controller.abort(reason);
      }
      assert.unreachable();
    } catch (error) {
      assert.is(error, reason);
    }
    assert.is(kept.length, server.calls.length, 'every call that was sent was kept');
    assert.ok(kept.length >= 5 && kept.length < 13, String(kept.length));
  });
});

test('an abort ends a wait for Retry-After', async () => {
  const respond = (): Behaviour => ({ type: 'error', status: 429, headers: { 'retry-after': '60' } });
  await withServer(startModelServer({ respond }), async (server) => {
    const controller = new AbortController();
    const options = optionsFor(await modelAt(server, 'openai'), 3, {
      signal: controller.signal,
      concurrency: 1,
    });
    try {
      for await (const { status } of ask(options)) {
        assert.is(status, 'failed');
        setTimeout(() => controller.abort('enough'), 10);
      }
      assert.unreachable();
    } catch (error) {
      assert.is(error, 'enough');
    }
    assert.is(server.calls.length, 1);
  });
});

test('an abort before the start makes no call', async () => {
  await withServer(startModelServer(), async (server) => {
    const model = await modelAt(server, 'compatible');
    const { attempts, error } = await askAll(optionsFor(model, 5, { signal: AbortSignal.abort('over') }));
    assert.equal([attempts.length, error, server.calls.length], [0, 'over', 0]);
  });
});

test('leaving the loop ends the calls in flight', async () => {
  const respond = (_: unknown, index: number): Behaviour => ({ type: index === 0 ? 'good' : 'hang' });
  await withServer(startModelServer({ respond }), async (server) => {
    const model = await modelAt(server, 'compatible');
    for await (const attempt of ask(optionsFor(model, 8, { concurrency: 4 }))) {
      assert.is(attempt.status, 'valid');
      while (server.calls.length < 5) await new Promise((done) => setTimeout(done, 5));
      break;
    }
    // Would wait for ever if a call stayed open.
    while (server.openCalls() > 0) await new Promise((done) => setTimeout(done, 5));
    assert.is(server.calls.length, 5);
  });
});

test('calls keep flowing while the consumer is busy with one attempt', async () => {
  await withServer(startModelServer(), async (server) => {
    const model = await modelAt(server, 'compatible');
    let seen = 0;
    for await (const _attempt of ask(optionsFor(model, 24, { concurrency: 4 }))) {
      seen += 1;
      if (seen > 1) continue;
      while (server.calls.length < 24) await new Promise((done) => setTimeout(done, 5));
    }
    assert.is(seen, 24);
  });
});

test('refused credentials stop everything at once, naming the setting', async () => {
  await withServer(startModelServer({ respond: () => ({ type: 'error', status: 401 }) }), async (server) => {
    const model = await modelAt(server, 'openai');
    const { error } = await askAll(optionsFor(model, 50, { concurrency: 2 }));
    assert.equal([errorOf(error).code, errorOf(error).exitCode], ['credentials', 3]);
    assert.match(errorOf(error).hint ?? '', 'OPENAI_API_KEY');
    assert.ok(server.calls.length <= 2);
  });
});

test('an unknown model is a usage error, any other wrong request a failure', async () => {
  const codeFor = async (status: number) => {
    let code: string | undefined;
    await withServer(startModelServer({ respond: () => ({ type: 'error', status }) }), async (server) => {
      const { error } = await askAll(optionsFor(await modelAt(server, 'openai'), 4));
      code = errorOf(error).code;
    });
    return code;
  };
  assert.is(await codeFor(404), 'usage');
  assert.is(await codeFor(400), 'failed');
});

test('a server that is not there is unavailable, by its base URL', async () => {
  const server = await startModelServer();
  await server.close();
  const model = await modelAt(server, 'compatible');
  const { attempts, error } = await askAll(optionsFor(model, 40));
  assert.equal([errorOf(error).code, errorOf(error).exitCode], ['unavailable', 3]);
  assert.match(errorOf(error).message, server.baseUrl);
  assert.match(errorOf(error).message, 'ECONNREFUSED');
  assert.ok(attempts.every(({ status }) => status === 'failed'));
});

test('a server that only ever fails is unavailable too', async () => {
  await withServer(startModelServer({ respond: () => ({ type: 'error', status: 500 }) }), async (server) => {
    const model = await modelAt(server, 'compatible');
    const { attempts, error } = await askAll(optionsFor(model, 3, { maxAttempts: 2 }));
    assert.is(errorOf(error).code, 'unavailable');
    assert.is(attempts.length, 6);
  });
});

test('a wait longer than allowed stops, resumable, with what came', async () => {
  const respond = (_: unknown, index: number): Behaviour =>
    index < 2 ? { type: 'good' } : { type: 'error', status: 429, headers: { 'retry-after': '3600' } };
  await withServer(startModelServer({ respond }), async (server) => {
    const model = await modelAt(server, 'openai');
    const { attempts, error } = await askAll(optionsFor(model, 10, { concurrency: 1 }));
    assert.equal([errorOf(error).code, errorOf(error).exitCode], ['stopped', 4]);
    assert.match(errorOf(error).message, 'wait 3600 s');
    assert.equal(tally(attempts.map(({ status }) => status)), { valid: 2, failed: 1 });
  });
});

test('short waits that add up without any answer stop as well', async () => {
  const respond = (): Behaviour => ({ type: 'error', status: 429, headers: { 'retry-after': '0.05' } });
  await withServer(startModelServer({ respond }), async (server) => {
    const model = await modelAt(server, 'openai');
    const { error } = await askAll(optionsFor(model, 4, { maxWaitMs: 200 }));
    assert.is(errorOf(error).code, 'stopped');
  });
});

test('an error that no model should throw ends the asking as it is', async () => {
  const model = await modelAt({ origin: 'http://127.0.0.1:9' }, 'compatible');
  const defect = new TypeError('defect');
  const broken = { ...model, ask: () => Promise.reject(defect) };
  const { error } = await askAll(optionsFor(broken, 3));
  assert.is(error, defect);
});

test.run();
