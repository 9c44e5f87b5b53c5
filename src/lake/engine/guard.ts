import { HxError } from '../../base/errors.js';
import { firstWord, splitExplain } from './explain.js';
import { sqlError } from './failures.js';
import {
  FILE_FUNCTIONS,
  READING_TABLE_FUNCTIONS,
  REFUSED_SCALAR_FUNCTIONS,
  TABLE_NAMING_FUNCTIONS,
} from './functions.js';
import type { LakeRoots } from './roots.js';
import { tablesNamed } from './tables-named.js';

/** DuckDB parses a text of many statements in seconds, and nothing interrupts it. */
const MAX_STATEMENT_CHARACTERS = 500_000;

/** Comments within comments take DuckDB's parser the square of their number: 0.2 s for this many. */
const MAX_COMMENTS = 1_000;

/**
 * How deep subqueries in expressions, lambdas and `->` may stand in one another. DuckDB binds what is inside
 * twice, so its time doubles with each level, and nothing interrupts it: 0.25 s at 16, 8 s at 22.
 */
const MAX_DOUBLINGS = 16;

/** What the decision depends on besides the text. */
export interface GuardOptions {
  /** DuckDB's own parser: `json_serialize_sql` of a text. */
  readonly parse: (sql: string) => Promise<string>;
  readonly roots: LakeRoots;
  /** Values of `$name`, since a path may be one. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

interface Parsed {
  readonly error: boolean;
  readonly error_type?: string;
  readonly error_message?: string;
  readonly position?: string;
  readonly statements?: readonly unknown[];
}

type Tree = Readonly<Record<string, unknown>>;

/** First words of a text that starts as a query and then goes on to something else. */
const QUERY_WORDS: ReadonlySet<string> = new Set([
  'SELECT',
  'FROM',
  'WITH',
  'VALUES',
  'TABLE',
  'DESCRIBE',
  '',
]);

const HINT = 'The lake is read only: write one SELECT, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN.';

/** A statement that the guard let through. */
export interface GuardedStatement {
  readonly sql: string;
  /** The views that it names, and other tables; undefined when it may see any view. */
  readonly tables: ReadonlySet<string> | undefined;
  readonly isExplained: boolean;
}

/**
 * Lets one reading statement through. The decision is made on the tree of DuckDB's
 * parser, which takes SELECT statements only; EXPLAIN is put before a statement that passed by itself.
 * @throws HxError `refused` for any other statement, function or file, `sql` when it does not parse.
 */
export async function guardStatement(sql: string, options: GuardOptions): Promise<GuardedStatement> {
  if (sql.length > MAX_STATEMENT_CHARACTERS) {
    throw new HxError('refused', `The statement has ${sql.length} characters, which is too long.`, {
      hint: `At most ${MAX_STATEMENT_CHARACTERS} go. Pass a long list as a parameter: string_split($ids, ',').`,
    });
  }
  if (sql.split('/*').length > MAX_COMMENTS) {
    throw new HxError('refused', `The statement has more than ${MAX_COMMENTS} comments.`, {
      hint: 'Leave the comments out.',
    });
  }
  const explained = splitExplain(sql);
  if (explained !== undefined) {
    const tables = await guardSelect(explained.statement, options);
    return { sql: `${explained.prefix} ${explained.statement}`, tables, isExplained: true };
  }
  return { sql, tables: await guardSelect(sql, options), isExplained: false };
}

async function guardSelect(sql: string, options: GuardOptions): Promise<GuardedStatement['tables']> {
  const parsed = JSON.parse(await options.parse(sql)) as Parsed;
  if (parsed.error) {
    if (parsed.error_type === 'parser') throw sqlError(parsed.error_message ?? '', sql, parsed.position);
    throw refusal(sql);
  }
  const statements = parsed.statements ?? [];
  if (statements.length === 0) throw new HxError('sql', 'There is no statement to run.', { hint: HINT });
  if (statements.length > 1) {
    throw new HxError('refused', `One statement at a time: this text holds ${statements.length}.`, {
      hint: 'Run them one after the other.',
    });
  }
  for (const path of pathsIn(statements[0], options)) {
    // A table of this name may be meant; as a file DuckDB opens none that lies elsewhere.
    if (path.asTable && !options.roots.mayBeFile(path.text)) continue;
    await options.roots.refuseOutside(path.text);
  }
  return tablesNamed(statements[0]);
}

interface NamedFile {
  readonly text: string;
  readonly asTable: boolean;
}

/**
 * Walks the whole tree, however deep. Returns the files that it names.
 * @throws HxError `refused` for a function that does more than read, and for what never ends being planned.
 */
function pathsIn(tree: unknown, options: GuardOptions): NamedFile[] {
  const paths: NamedFile[] = [];
  const open = [{ node: tree, doublings: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node } = next;
    if (!isTree(node)) continue;
    const { type, class: kind, function: called, function_name: name } = node;
    const doublings = next.doublings + (kind === 'SUBQUERY' || kind === 'LAMBDA' ? 1 : 0);
    if (doublings > MAX_DOUBLINGS) throw tooDeep();
    if (type === 'TABLE_FUNCTION') paths.push(...filesOfFunction(called, options));
    if (type === 'BASE_TABLE') paths.push({ text: fileNameOf(node), asTable: true });
    if (kind === 'FUNCTION' && REFUSED_SCALAR_FUNCTIONS.has(String(name).toLowerCase())) {
      throw new HxError('refused', `The function ${name} may not be used in the lake.`, { hint: HINT });
    }
    for (const inner of Object.values(node)) open.push({ node: inner, doublings });
  }
  return paths;
}

/** DuckDB takes `"folder/a".csv`, of which it reads a schema and a table, for a file too. */
function fileNameOf({ catalog_name: catalog, schema_name: schema, table_name: table }: Tree): string {
  return [catalog, schema, table].filter((part) => part !== '').join('.');
}

function filesOfFunction(called: unknown, { parameters }: GuardOptions): NamedFile[] {
  const name = isTree(called) ? String(called['function_name']).toLowerCase() : '';
  if (!READING_TABLE_FUNCTIONS.has(name)) {
    throw new HxError('refused', `The table function ${name} may not be used in the lake.`, {
      hint: 'Read the views (SHOW TABLES lists them) or files of the lake with read_parquet.',
    });
  }
  if (!isTree(called)) return [];
  if (TABLE_NAMING_FUNCTIONS.has(name)) return tablesOfFunction(called, parameters, name);
  if (!FILE_FUNCTIONS.has(name)) return [];
  // Options (`sep := ';'`) stand among the arguments, told apart by their alias.
  const first = childrenOf(called).find((child) => !child['alias']);
  if (first === undefined) return [];
  const files = isListOf(first) ? childrenOf(first) : [first];
  return files.map((file) => ({ text: literalOf(file, parameters, name), asTable: false }));
}

/** The tables that a function may look for: its first argument names one, or any that is given by a name. */
function tablesOfFunction(called: Tree, parameters: GuardOptions['parameters'], name: string): NamedFile[] {
  return childrenOf(called).flatMap((child, index) => {
    if (index > 0 && !child['alias']) return [];
    const named = isListOf(child) ? childrenOf(child) : [child];
    return named
      .filter(({ value }) => !isTree(value) || typeof value['value'] === 'string')
      .map((node) => {
        const column = node['column_names'];
        const text = Array.isArray(column) ? column.join('.') : literalOf(node, parameters, name);
        return { text, asTable: true };
      });
  });
}

/** A path that stands in the statement, or is the value of a parameter. One that is computed cannot be checked. */
function literalOf(node: Tree, parameters: GuardOptions['parameters'], name: string): string {
  const { class: kind, value, identifier } = node;
  const text =
    kind === 'PARAMETER' ? parameters[String(identifier)] : isTree(value) ? value['value'] : undefined;
  if (typeof text === 'string' && (kind === 'PARAMETER' || kind === 'CONSTANT')) return text;
  throw new HxError('refused', `${name} takes only names that are written out.`, {
    hint: `Give it a text, a list of texts, or a parameter: ${name}($file).`,
  });
}

function isListOf({ class: kind, function_name: name }: Tree): boolean {
  return kind === 'FUNCTION' && name === 'list_value';
}

function childrenOf({ children }: Tree): Tree[] {
  return Array.isArray(children) ? children.filter(isTree) : [];
}

function isTree(node: unknown): node is Tree {
  return typeof node === 'object' && node !== null;
}

function tooDeep(): HxError {
  return new HxError(
    'refused',
    `Subqueries, lambdas or -> stand more than ${MAX_DOUBLINGS} deep in one another.`,
    {
      hint: "Name the inner ones in a WITH clause, and use one path for JSON: config_json->>'$.a.b.c'.",
    },
  );
}

/** Only says what was refused; the decision is made already. */
function refusal(sql: string): HxError {
  if (/\bpivot(_wider)?\b/i.test(sql)) {
    return new HxError('refused', 'PIVOT has to name its values: without them it creates a type first.', {
      hint: "For example: PIVOT checks ON verdict IN ('likely_true', 'likely_false') USING count(*).",
    });
  }
  const word = firstWord(sql);
  const what = QUERY_WORDS.has(word) ? 'one SELECT at a time and nothing else' : `no ${word} statement`;
  return new HxError('refused', `The lake runs queries only, ${what}.`, { hint: HINT });
}
