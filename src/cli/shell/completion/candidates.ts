/** One way to complete a word. */
export interface Candidate {
  /** What to put in the word's place. */
  readonly text: string;
  /** What it is, for the line below the menu. */
  readonly detail: string;
  /** What to add once it is the only candidate: a space, a bracket. */
  readonly after?: string;
}

/** Ways to complete the word before the cursor. */
export interface Completion {
  /** Length of that word. */
  readonly replaced: number;
  /** Best first, each text once. */
  readonly candidates: readonly Candidate[];
}

/** Those that begin with the word, whatever its case, each text once. */
export function among(word: string, all: readonly Candidate[]): Completion {
  const start = word.toLowerCase();
  const found = new Map<string, Candidate>();
  for (const candidate of all) {
    const text = candidate.text.toLowerCase().replace(/^"/, '');
    if (text.startsWith(start) && !found.has(candidate.text)) found.set(candidate.text, candidate);
  }
  return { replaced: word.length, candidates: [...found.values()] };
}

/** What all candidates begin with, by which the word can grow without choosing. */
export function commonStart(candidates: readonly Candidate[]): string {
  const [first = '', ...rest] = candidates.map(({ text }) => text);
  let length = first.length;
  for (const candidate of rest) {
    while (!candidate.toLowerCase().startsWith(first.slice(0, length).toLowerCase())) length -= 1;
  }
  return first.slice(0, length);
}
