import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { readHeader } from '../../src/operational/schema/header.js';

const test = suite('the header of a migration');

test('without header lines a migration is one transaction with nothing waived', () => {
  assert.equal(readHeader('a.sql', '-- What it is for.\n\nselect 1; -- mode=steps\n'), {
    mode: 'tx',
    waivers: [],
  });
});

test('header lines may stand among other comments at the top, several pairs to a line', () => {
  const sql = [
    '-- What it is for.',
    '',
    '-- hx: mode=steps lock_timeout=1500ms',
    '--hx: allow=drop-table reason=unused since 0003, seen in the logs',
    '-- hx: allow=truncate   reason=a cache ',
    'select 1;',
  ].join('\r\n');
  assert.equal(readHeader('a.sql', sql), {
    mode: 'steps',
    lockTimeoutMs: 1_500,
    waivers: [
      { rule: 'drop-table', reason: 'unused since 0003, seen in the logs', line: 4 },
      { rule: 'truncate', reason: 'a cache', line: 5 },
    ],
  });
  for (const [text, ms] of [
    ['3s', 3_000],
    ['1min', 60_000],
    ['1ms', 1],
  ] as const) {
    assert.is(readHeader('a.sql', `-- hx: lock_timeout=${text}`).lockTimeoutMs, ms);
  }
});

test('a header at fault names file, line and what is allowed', () => {
  for (const [sql, message, hint] of [
    ['-- a\n-- hx: mode=step', 'a.sql, line 2: there is no mode "step".', /tx or steps/],
    ['-- hx: mode=', 'a.sql, line 1: there is no mode "".', /tx or steps/],
    ['-- hx: mod=tx', 'a.sql, line 1: there is no header "mod".', /lock_timeout=3s/],
    ['-- hx: steps', 'a.sql, line 1: "steps" is not key=value.', /mode=tx\|steps/],
    ['-- hx:', 'a.sql, line 1: the header says nothing.', /mode=tx\|steps/],
    ['-- hx: mode=tx mode=tx', 'a.sql, line 1: mode is given twice.', /one/],
    ['-- hx: lock_timeout=1s\n-- hx: lock_timeout=1s', 'a.sql, line 2: lock_timeout is given twice.', /one/],
    ['-- hx: lock_timeout=3', 'a.sql, line 1: "3" is no lock_timeout.', /500ms/],
    ['-- hx: lock_timeout=0s', 'a.sql, line 1: "0s" is no lock_timeout.', /more than 0/],
    ['-- hx: lock_timeout=2min', 'a.sql, line 1: "2min" is no lock_timeout.', /at most 60s/],
    ['-- hx: lock_timeout=1.5s', 'a.sql, line 1: "1.5s" is no lock_timeout.', /whole number/],
    ['-- hx: allow=drop-tables reason=x', 'a.sql, line 1: there is no rule "drop-tables".', /drop-table,/],
    ['-- hx: allow=drop-table', 'a.sql, line 1: allow=drop-table has no reason.', /reason=/],
    ['-- hx: allow=drop-table reason= ', 'a.sql, line 1: allow=drop-table has no reason.', /reason=/],
    [
      '-- hx: allow=truncate reason=a\n-- hx: allow=truncate reason=b',
      'a.sql, line 2: truncate is allowed twice.',
      /join/,
    ],
    ['select 1;\n-- hx: mode=tx', 'a.sql, line 2: a header stands below the first statement.', /top/],
    ['/* a */\n-- hx: mode=tx', 'a.sql, line 2: a header stands below the first statement.', /top/],
  ] as const) {
    assert.throws(
      () => readHeader('a.sql', sql),
      (error: unknown) => {
        assert.ok(error instanceof HxError, String(error));
        assert.is(error.code, 'conflict');
        assert.is(error.message, message);
        assert.match(error.hint ?? '', hint);
        return true;
      },
    );
  }
});

test.run();
