import type { Figure } from '../measure.js';

/** One part of the lake's bench: prepares its own data, measures, and removes what it made. */
export interface Scene {
  /** Says what it does while it lasts; figures come at the end. */
  readonly play: (say: (line: string) => void) => Promise<Figure[]>;
}
