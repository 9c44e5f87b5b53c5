import { Writable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ProgressLine } from '../../../src/cli/progress/line.js';

const test = suite('progress line');

/** What waiting for a database looks like on a stream. */
function written(options: { live: boolean; notes: boolean }): string {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString('utf8');
      done();
    },
  });
  const line = new ProgressLine(stream, options);
  const wait = { type: 'wait', what: 'the development database' } as const;
  line.show({ ...wait, reason: 'connect ECONNREFUSED', elapsedMs: 1_000, leftMs: 59_000 });
  line.show({ ...wait, reason: 'connect ECONNREFUSED', elapsedMs: 2_000, leftMs: 58_000 });
  line.show({ ...wait, reason: 'connect ECONNREFUSED', elapsedMs: 2_500, leftMs: null });
  line.end();
  return text;
}

test('on a terminal a wait counts down in place and leaves nothing behind', () => {
  const lines = written({ live: true, notes: true }).split('\r\u001b[2K');
  assert.equal(lines, [
    '',
    'Waiting for the development database, giving up in 59 s (connect ECONNREFUSED)',
    'Waiting for the development database, giving up in 58 s (connect ECONNREFUSED)',
    '',
  ]);
});

test('elsewhere a wait is one note, and nothing with --quiet', () => {
  assert.is(
    written({ live: false, notes: true }),
    'Waiting for the development database, 59 s at most (connect ECONNREFUSED).\n',
  );
  assert.is(written({ live: false, notes: false }), '');
});

test.run();
