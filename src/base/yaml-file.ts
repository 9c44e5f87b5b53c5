import { readTextFile } from './text-file.js';

/** A YAML file as read. */
export interface YamlFile {
  readonly content: unknown;
  /** The line, from 1, on which the value at a path begins, or else what should hold it. */
  lineOf(path: readonly string[]): number;
}

/** A file that is no YAML: each problem begins with its line. */
export class YamlSyntaxError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

/**
 * Reads a YAML file.
 * @throws YamlSyntaxError, and what readTextFile throws.
 */
export async function readYamlFile(path: string): Promise<YamlFile> {
  const { isNode, LineCounter, parseDocument } = await import('yaml');
  const lineCounter = new LineCounter();
  const document = parseDocument(await readTextFile(path), { lineCounter, prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map(
      ({ message, pos }) => `line ${lineCounter.linePos(pos[0]).line}: ${message}`,
    );
    throw new YamlSyntaxError(problems);
  }
  return {
    content: document.toJS(),
    lineOf(at) {
      for (let length = at.length; length > 0; length -= 1) {
        const node = document.getIn(at.slice(0, length), true);
        if (isNode(node) && node.range) return lineCounter.linePos(node.range[0]).line;
      }
      return 1;
    },
  };
}
