import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT_NAMES, ENVIRONMENTS } from '../../src/base/environments.js';
import { describeSetting, SETTING_NAMES } from '../../src/base/settings-table.js';
import { CATEGORIES, COMMANDS } from '../../src/cli/commands/index.js';
import { makeCli } from '../../src/cli/parser.js';
import { readyQueries } from '../../src/lake/queries.js';
import type { Column } from '../../src/rpl/column.js';
import { CHANGE_COLUMNS, CHECK_CONTEXT_COLUMNS, RUN_COLUMNS } from '../../src/rpl/record.js';
import { engineParts } from './engines.js';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Options that every command has; the reference lists them once. */
const COMMON_OPTIONS = new Set(['--json', '--quiet', '--no-color']);

/** The documents that are made from the code: path and content. */
export async function generateDocs(): Promise<Map<string, string>> {
  const definitions = await loadDefinitions();
  return new Map([
    ['README.md', readme(definitions)],
    ['.env.example', envExample()],
    ['docs/commands.md', commandReference(definitions)],
    ['docs/columns.md', columnReference()],
    ['docs/engines.md', engines()],
    ['docs/queries.md', queryReference()],
  ]);
}

function readme(definitions: Definitions): string {
  const current = readFileSync(join(ROOT, 'README.md'), 'utf8');
  return replacePart(
    replacePart(current, 'commands', commandTable(definitions)),
    'settings',
    settingsTable(),
  );
}

function engines(): string {
  const current = readFileSync(join(ROOT, 'docs', 'engines.md'), 'utf8');
  return [...engineParts()].reduce((text, [name, content]) => replacePart(text, name, content), current);
}

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`. */
function replacePart(text: string, name: string, content: string): string {
  const pattern = new RegExp(`(<!-- ${name} -->)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!pattern.test(text)) throw new Error(`There is no part <!-- ${name} -->`);
  return text.replace(pattern, (_all, start, end) => `${start}\n${content}\n${end}`);
}

async function loadDefinitions() {
  const all = (await makeCli(COMMANDS, false)).definitions();
  return CATEGORIES.flatMap((category) => all.filter((one) => one.category?.trim() === category));
}

type Definitions = Awaited<ReturnType<typeof loadDefinitions>>;

function commandTable(definitions: Definitions): string {
  const rows = definitions.map(({ path, description }) => `| \`${path}\` | ${cell(description ?? '')} |`);
  return ['| command | what it does |', '|---|---|', ...rows].join('\n');
}

function settingsTable(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { meaning, default: fallback } = describeSetting(name) as { meaning: string; default?: string };
    return `| \`${name}\` | ${cell(meaning)} | ${fallback === undefined ? '' : `\`${fallback}\``} |`;
  });
  return ['| setting | meaning | default |', '|---|---|---|', ...rows].join('\n');
}

function envExample(): string {
  const lines = [
    '# Copy to .env (every environment) or .env.local, .env.development, .env.production (one of them).',
    '# Process environment beats .env.<name> beats .env. Neither file is ever committed.',
  ];
  for (const name of SETTING_NAMES) {
    const { meaning, example, default: fallback, secret } = describeSetting(name);
    lines.push('', `# ${meaning}`, `# ${name}=${example ?? fallback ?? (secret ? '...' : '')}`);
  }
  return `${lines.join('\n')}\n`;
}

function commandReference(definitions: Definitions): string {
  const parts = ['# Commands', '', 'Generated from the help of `hx` by `npm run docs`.', ''];
  parts.push(
    'Every command also takes `--json` (one JSON value on standard output), `--quiet` (no progress and no',
  );
  parts.push('notes on standard error) and `--no-color`.', '', '## Environments', '');
  parts.push('| `--env` | alias | where | connection |', '|---|---|---|---|');
  for (const name of ENVIRONMENT_NAMES) {
    const { alias, where, urlSetting } = ENVIRONMENTS[name];
    parts.push(
      `| \`${name}\` | ${alias === undefined ? '' : `\`${alias}\``} | ${where} | \`${urlSetting}\` |`,
    );
  }
  for (const { path, usage, description, details, examples, options } of definitions) {
    parts.push(
      '',
      `## ${path}`,
      '',
      `${cell(description ?? '')}.`,
      '',
      '```',
      usage.replaceAll('#0', 'VALUE'),
      '```',
    );
    if (details !== undefined) parts.push('', details.replace(/\s*\n\s*/g, ' ').trim());
    const own = options.filter(({ definition }) => !COMMON_OPTIONS.has(definition));
    if (own.length > 0) parts.push('', '| option | meaning |', '|---|---|');
    for (const { definition, description: meaning = '' } of own) {
      parts.push(`| \`${definition.replaceAll('#0', 'VALUE')}\` | ${cell(meaning)} |`);
    }
    for (const [title, command] of examples ?? [])
      parts.push('', `${title.trim()}:`, '', '```', command, '```');
  }
  return `${parts.join('\n')}\n`;
}

function columnReference(): string {
  const table = (columns: readonly Column[]) => [
    '| column | type | unit or values | meaning |',
    '|---|---|---|---|',
    ...columns.map(({ name, type, nullable, unit = '', meaning }) => {
      return `| \`${name}\` | ${type}${nullable ? ', may be null' : ''} | ${cell(unit)} | ${cell(meaning)} |`;
    }),
  ];
  return `${[
    '# Columns of a run',
    '',
    'Generated from `src/rpl/record.ts` by `npm run docs`. The SQLite table `runs`, the Postgres table `checks`, the',
    'Parquet files and `--json` all carry these columns under these names. In JSON, `uint64` and `money` are strings',
    '(a JSON number would lose digits) and timestamps are ISO 8601 in UTC.',
    '',
    ...table(RUN_COLUMNS),
    '',
    '## What lane A and the lake add',
    '',
    ...table([...CHECK_CONTEXT_COLUMNS, ...CHANGE_COLUMNS]),
    '| `lane` | text | operational \\| research | Which lane the row came from (lake only) |',
  ].join('\n')}\n`;
}

function queryReference(): string {
  const parts = [
    '# Ready queries',
    '',
    'Generated from `sql/queries/` by `npm run docs`. `hx query @NAME --param name=value` runs one, `hx query --list` shows',
    'them all; in the shell it is `@NAME name=value`. Values are bound to the statement, never pasted into it.',
    '',
    'In all of them: results that the cache gave are no new measurements and are left out, unless the query is about the',
    'cache or about volume. Real and simulated models never share a row, and real ones come first. Beliefs are averaged as',
    'logits, and only over runs of one claim with one model and bank.',
    '',
    'The day of a row is `dt`, the UTC date of its `created_at`. A condition on `dt` leaves the files of all other days',
    'unopened, one on `created_at` alone opens every file. In SQL of your own give both where the hour matters:',
    "`WHERE dt >= '2026-11-01' AND created_at >= '2026-11-01 12:00:00Z'`.",
    '',
    '| query | question |',
    '|---|---|',
  ];
  const queries = readyQueries();
  for (const { name, question } of queries) parts.push(`| [\`@${name}\`](#${name}) | ${cell(question)} |`);
  for (const { name, question, parameters, note, example } of queries) {
    parts.push('', `## ${name}`, '', question, '');
    parts.push('| parameter | type | default | meaning |', '|---|---|---|---|');
    for (const { name: parameter, type, default: fallback, meaning } of parameters) {
      const value = fallback === undefined ? 'needed' : `\`${fallback}\``;
      parts.push(`| \`${parameter}\` | ${type} | ${value} | ${cell(meaning)} |`);
    }
    parts.push('', note, '', '```', example, '```');
  }
  return `${parts.join('\n')}\n`;
}

function cell(text: string): string {
  return text
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .replaceAll('|', '\\|');
}
