import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { engineError } from '../../../src/lake/engine/failures.js';

const test = suite('what DuckDB says of a statement');

test('a disk that is full is told as such, and not as a fault of the statement', () => {
  const written = engineError(
    new Error('IO Error: Could not write all bytes to file "/data/.spill-1/block": No space left on device'),
    'SELECT 1',
  );
  assert.is(written.code, 'failed');
  assert.match(written.message, /No space left on device/);
  assert.match(written.hint ?? '', /disk is full: free some space/);
  const offloaded = engineError(
    new Error(
      'Out of Memory Error: failed to offload data block of size 192.0 KiB (53.8 MiB/53.9 MiB used).\nSee',
    ),
    'SELECT 1',
  );
  assert.is(offloaded.code, 'failed');
  assert.match(offloaded.hint ?? '', /free some of that disk/);
  const outOfMemory = engineError(new Error('Out of Memory Error: could not allocate block'), 'SELECT 1');
  assert.not.match(outOfMemory.hint ?? '', /disk/);
});

test.run();
