import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/** What a layer of hx does in a sweep. */
const LAYERS = new Map(
  Object.entries({
    rpl: 'planning and estimates',
    models: 'the model and its pacing',
    research: 'SQLite and its waits for the disk',
    lake: 'Parquet',
    handlers: 'handlers',
    cli: 'output',
  }),
);
const OTHERS = new Map(
  Object.entries({
    '(idle)': 'waiting for the disk',
    '(garbage collector)': 'garbage collection',
  }),
);

/**
 * Where the time of a process went that ran with --cpu-prof: the share of each layer, the largest first, by the
 * innermost frame of ours.
 * @param folder with the one profile.
 */
export function sharesOfTime(folder: string): { name: string; share: number }[] {
  const [name = ''] = readdirSync(folder).filter((file) => file.endsWith('.cpuprofile'));
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Profile;
  const labels = labelNodes(nodes);
  const times = new Map<string, number>();
  let total = 0;
  for (const [index, id] of samples.entries()) {
    const time = timeDeltas[index] ?? 0;
    const label = labels.get(id) ?? '';
    times.set(label, (times.get(label) ?? 0) + time);
    total += time;
  }
  return [...times]
    .map(([label, time]) => ({ name: label, share: time / total }))
    .sort((one, other) => other.share - one.share);
}

function labelNodes(nodes: readonly Node[]): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const labels = new Map<number, string>();
  const open = nodes.slice(0, 1).map((node) => ({ node, outer: 'Node itself' }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { functionName, url } = next.node.callFrame;
    const layer = /\/dist\/(\w+)\//.exec(url)?.[1] ?? '';
    const label = OTHERS.get(functionName) ?? LAYERS.get(layer) ?? next.outer;
    labels.set(next.node.id, label);
    for (const child of next.node.children ?? []) {
      const node = byId.get(child);
      if (node !== undefined) open.push({ node, outer: label });
    }
  }
  return labels;
}
