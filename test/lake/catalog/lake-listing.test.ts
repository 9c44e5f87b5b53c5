import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LakeListing } from '../../../src/lake/catalog/lake-listing.js';
import { NO_MANIFEST } from '../../../src/lake/catalog/manifest.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';

const test = suite<{ root: string }>('lake listing');

test.before.each((state) => {
  state.root = makeTempFolder();
});
test.after.each(({ root }) => removeFolder(root));

/** A file in a day's folder, whose time of change is so long ago that it is trusted, or now. */
function put(root: string, day: string, name: string, isSettled: boolean): void {
  const folder = join(root, 'local', `dt=${day}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), '');
  if (isSettled) for (const path of [folder, join(root, 'local'), root]) utimesSync(path, 1_000, 1_000);
}

for (const isSettled of [true, false]) {
  test(`what is ${isSettled ? 'as it long was' : 'just written'} is given once more as the same list`, ({
    root,
  }) => {
    put(root, '2026-11-01', 'r-s3-1.parquet', isSettled);
    put(root, '2026-11-02', 'r-s3-2.parquet', isSettled);
    const listing = new LakeListing(root);
    const first = listing.read();
    assert.equal(
      first.map(({ partitions }) => partitions),
      [
        [
          { day: '2026-11-01', names: ['r-s3-1.parquet'] },
          { day: '2026-11-02', names: ['r-s3-2.parquet'] },
        ],
      ],
    );
    assert.is(listing.read(), first);
    put(root, '2026-11-02', 'r-s3-3.parquet', false);
    const second = listing.read();
    assert.is.not(second, first);
    assert.equal([...(second[0]?.partitions[1]?.names ?? [])].sort(), ['r-s3-2.parquet', 'r-s3-3.parquet']);
    assert.is(listing.read(), second);
    rmSync(join(root, 'local', 'dt=2026-11-01'), { recursive: true });
    assert.equal(
      listing.read()[0]?.partitions.map(({ day }) => day),
      ['2026-11-02'],
    );
  });
}

test('a manifest that is replaced and an environment that comes are seen', ({ root }) => {
  put(root, '2026-11-01', 'r-s3-1.parquet', true);
  const listing = new LakeListing(root);
  const first = listing.read();
  mkdirSync(join(root, 'local', '_hx'));
  const manifest = { ...NO_MANIFEST, generation: 7 };
  writeFileSync(join(root, 'local', '_hx', 'manifest.json'), JSON.stringify(manifest));
  const second = listing.read();
  assert.is.not(second, first);
  assert.is(second[0]?.manifest.generation, 7);
  mkdirSync(join(root, 'production'));
  assert.equal(
    listing.read().map(({ environment }) => environment),
    ['local', 'production'],
  );
});

test.run();
