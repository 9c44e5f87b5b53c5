import type { Node, RangeVar, TypeName } from 'libpg-query';

type KindOf<Tree> = Tree extends unknown ? keyof Tree : never;
/** The name of a kind of node, such as `IndexStmt`. */
export type Kind = KindOf<Node>;
export type NodeOf<Name extends Kind> = Extract<Node, Record<Name, unknown>>[Name];

/** What a node holds if it is of the kind. */
export function pick<Name extends Kind>(node: Node | undefined, kind: Name): NodeOf<Name> | undefined {
  return (node as { readonly [key in Name]?: NodeOf<Name> } | undefined)?.[kind];
}

/** The members of a list that are of the kind. */
export function pickAll<Name extends Kind>(nodes: readonly Node[] | undefined, kind: Name): NodeOf<Name>[] {
  return (nodes ?? []).flatMap((node) => pick(node, kind) ?? []);
}

/** Everything of the kind, at any depth. */
export function find<Name extends Kind>(tree: unknown, kind: Name): NodeOf<Name>[] {
  const found: NodeOf<Name>[] = [];
  walk(tree, (key, value) => {
    if (key === kind) found.push(value as NodeOf<Name>);
  });
  return found;
}

/** The first place in the file that a part of a tree names, in bytes; undefined where it names none. */
export function placeOf(tree: unknown): number | undefined {
  let first: number | undefined;
  walk(tree, (key, value) => {
    if (key !== 'location' || typeof value !== 'number' || value < 0) return;
    if (first === undefined || value < first) first = value;
  });
  return first;
}

function walk(tree: unknown, visit: (key: string, value: unknown) => void): void {
  if (typeof tree !== 'object' || tree === null) return;
  for (const [key, value] of Object.entries(tree)) {
    visit(key, value);
    walk(value, visit);
  }
}

/** The words of a name: `["hx", "identity"]`. */
export function words(nodes: readonly Node[] | undefined): string[] {
  return pickAll(nodes, 'String').map(({ sval }) => sval ?? '');
}

/** How a table is called everywhere: without the schema when that is `public`. */
export function tableName({ schemaname, relname }: RangeVar): string {
  return shortName(schemaname === undefined ? [relname ?? ''] : [schemaname, relname ?? '']);
}

export function shortName(path: readonly string[]): string {
  return (path[0] === 'public' ? path.slice(1) : path).join('.');
}

/** The name of a type of Postgres itself (`int4`, `timestamp`); undefined for any other. */
export function builtInType(type: TypeName | undefined): string | undefined {
  const path = words(type?.names);
  return path.length === 1 || path[0] === 'pg_catalog' ? path.at(-1) : undefined;
}
