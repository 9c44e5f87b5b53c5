import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const TEST = fileURLToPath(new URL('./', import.meta.url));

const meta = suite('meta');

const names = readdirSync(TEST, { recursive: true, encoding: 'utf8' });

meta('every test file defines tests and runs its suites', () => {
  const tests = names.filter((name) => /\.test\.tsx?$/.test(name));
  assert.ok(tests.length > 10, `${tests.length} test files`);
  for (const name of tests) {
    const text = readFileSync(join(TEST, name), 'utf8');
    const suites = [...text.matchAll(/^const (\w+) = suite\(/gm)].map(([, variable]) => variable);
    assert.ok(suites.length > 0 || /^test\.run\(\);$/m.test(text), `${name} has no suite`);
    for (const variable of suites) {
      assert.match(text, new RegExp(`^${variable}\\.run\\(\\);$`, 'm'), `${name} never runs ${variable}`);
      assert.match(text, new RegExp(`^${variable}\\(`, 'm'), `${name}: ${variable} has no test`);
    }
    assert.not.match(text, /\.only\(|\.skip\(/, `${name} leaves tests out`);
  }
});

meta('no test hides under a name that the runner does not match', () => {
  for (const name of names.filter((file) => /\.(spec|tests)\.tsx?$/.test(file))) {
    assert.unreachable(`${name} is not run: name it .test.ts`);
  }
});

meta.run();
