import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LakeRoots } from '../../../src/lake/engine/roots.js';

const test = suite('roots of the lake');

test('what lies below a root is in it, and no neighbour whose name begins alike', () => {
  const roots = new LakeRoots(['/data/exports', 's3://bucket/lake/']);
  const inside = ['/data/exports', '/data/exports/a', '/data/exports/x/../a', 's3://bucket/lake/a'];
  for (const path of inside) assert.ok(roots.contains(path), path);
  const outside = [
    ...['/data/exports-old/a', '/data/exports2', '/data/exports/../secret', '/data', '/', '', 'exports/a'],
    ...['s3://bucket/lake2/a', 's3://bucket/lak', 's3://other/lake/a', 'file:///data/exports/a'],
  ];
  for (const path of outside) assert.not.ok(roots.contains(path), path);
});

test.run();
