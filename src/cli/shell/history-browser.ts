import { type Editor, EMPTY, editorOf } from './editor/text.js';
import type { History } from './history.js';

/** Steps through the history with Up and Down, and keeps what was being typed before. */
export class HistoryBrowser {
  private readonly history: History;
  /** 0 is the newest entry, -1 what is being typed. */
  private age = -1;
  private draft: Editor = EMPTY;

  constructor(history: History) {
    this.history = history;
  }

  /** The next older or newer text; `undefined` past either end. */
  step(towards: 'older' | 'newer', current: Editor): Editor | undefined {
    const age = this.age + (towards === 'older' ? 1 : -1);
    if (age < -1 || age >= this.history.length) return undefined;
    if (this.age === -1) this.draft = current;
    this.age = age;
    return age === -1 ? this.draft : editorOf(this.history.at(age) ?? '');
  }

  reset(): void {
    this.age = -1;
    this.draft = EMPTY;
  }
}
