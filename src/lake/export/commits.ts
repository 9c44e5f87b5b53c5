import { formerLake } from '../catalog/former.js';
import { isFormerRecord, parseCommitName, type RangeFile, type Slot } from '../catalog/range-names.js';
import { isWithin, mergeSpans, type Span } from '../catalog/spans.js';
import type { LakeStorage } from '../storage/storage.js';

/** What exports have covered in an environment, of each of its databases. */
export class Commits {
  private readonly slots: ReadonlyMap<string, readonly Slot[]>;
  private readonly known = new Map<string, readonly Span[]>();

  /** @param names of records, of any databases; others are left out. */
  constructor(names: readonly string[]) {
    const slots = new Map<string, Slot[]>();
    for (const name of names) {
      const commit = parseCommitName(name);
      if (commit === undefined) continue;
      const before = slots.get(commit.instance);
      if (before === undefined) slots.set(commit.instance, [commit]);
      else before.push(commit);
    }
    this.slots = slots;
  }

  /** @throws HxError `failed` for records of before the first release. */
  static async read(storage: LakeStorage, environment: string): Promise<Commits> {
    const names = (await storage.list(`${environment}/_hx`)).map(({ name }) => name);
    if (names.some(isFormerRecord)) throw formerLake(`${storage.url}/${environment}`);
    return new Commits(names);
  }

  /**
   * The transactions of a database that are covered on a day.
   * @param instance first eight hex digits of its UUID.
   */
  spans(instance: string, day: string): readonly Span[] {
    const key = `${instance} ${day}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const ofDay = (this.slots.get(instance) ?? []).filter(
      ({ since, until }) => (since === null || since <= day) && (until === null || day <= until),
    );
    const spans = mergeSpans(ofDay);
    this.known.set(key, spans);
    return spans;
  }

  /**
   * Whether the range of a day's file is committed. By what is covered, and not by the range itself, as a range has
   * no file for a day on which others have covered all of it: there is no row left.
   */
  cover(file: RangeFile, day: string): boolean {
    return isWithin(this.spans(file.instance, day), file);
  }
}
