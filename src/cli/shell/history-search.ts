import type { History } from './history.js';

/** A search backwards through the history, a character at a time (Ctrl-R). */
export class HistorySearch {
  private readonly history: History;
  private text = '';
  private age: number | undefined;
  /** Whether nothing (more) holds the text; what was found before stays shown. */
  failed = false;

  constructor(history: History) {
    this.history = history;
  }

  get query(): string {
    return this.text;
  }

  /** The statement found, and where in it the text stands. */
  get match(): { readonly statement: string; readonly at: number } | undefined {
    if (this.age === undefined) return undefined;
    const statement = this.history.at(this.age) ?? '';
    return { statement, at: Math.max(0, placeOf(this.text, statement)) };
  }

  /** Looks for the longer text, from the statement found so far on. */
  type(text: string): void {
    this.text += text;
    this.look(this.age ?? 0, 1);
  }

  /** Takes the last character back and looks again from the newest. */
  erase(): void {
    this.text = [...this.text].slice(0, -1).join('');
    this.age = undefined;
    this.failed = false;
    if (this.text !== '') this.look(0, 1);
  }

  /** The next older or newer statement that holds the text and is not the one shown. */
  step(towards: 'older' | 'newer'): void {
    if (this.text === '') return;
    const direction = towards === 'older' ? 1 : -1;
    this.look(this.age === undefined ? 0 : this.age + direction, direction, this.match?.statement);
  }

  private look(from: number, direction: 1 | -1, besides?: string): void {
    for (let age = from; age >= 0 && age < this.history.length; age += direction) {
      const statement = this.history.at(age) ?? '';
      if (statement === besides || placeOf(this.text, statement) < 0) continue;
      this.age = age;
      this.failed = false;
      return;
    }
    this.failed = true;
  }
}

/** Where the text stands in the statement; capitals count only where the text has some. */
function placeOf(text: string, statement: string): number {
  const isLower = text === text.toLowerCase();
  return isLower ? statement.toLowerCase().indexOf(text) : statement.indexOf(text);
}
