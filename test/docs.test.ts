import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CATEGORIES, COMMANDS } from '../src/cli/commands/index.js';
import { makeCli } from '../src/cli/parser.js';
import { generateDocs, ROOT } from './docs/generate.js';

const docs = suite('docs');

docs('what is generated from the code is up to date (npm run docs)', async () => {
  for (const [path, content] of await generateDocs()) {
    assert.is(readFileSync(join(ROOT, path), 'utf8'), content, `${path} is stale: run npm run docs`);
  }
});

docs('every command and every option has help, and every command an example', async () => {
  const definitions = (await makeCli(COMMANDS, false)).definitions();
  assert.is(definitions.length, COMMANDS.length);
  for (const { path, category, description, examples, options } of definitions) {
    assert.ok(description, `${path} has no description`);
    assert.ok(
      (CATEGORIES as readonly string[]).includes(category?.trim() ?? ''),
      `${path} has no known category`,
    );
    assert.ok((examples ?? []).length > 0, `${path} has no example`);
    for (const { definition, description: meaning } of options) {
      assert.ok(meaning, `${path} ${definition} has no help`);
    }
    assert.ok(
      options.some(({ definition }) => definition === '--json'),
      `${path} has no --json`,
    );
  }
});

docs.run();
