import { VIEW_NAMES, type View } from '../catalog/catalog.js';
import type { CurrentViews } from './current-views.js';

/** Views of `checks` that are made when a statement names them. */
const LATE_VIEWS: ReadonlySet<string> = new Set(VIEW_NAMES.filter((name) => name !== 'checks'));

/** The views in one DuckDB, which are made and remade as statements need them. */
export class MadeViews {
  private readonly current: CurrentViews;
  private readonly run: (sql: string) => Promise<unknown>;
  /** By which statement each was made. */
  private readonly made = new Map<string, string>();
  private making: Promise<void> = Promise.resolve();

  /** @param run runs statements on that DuckDB. */
  constructor(current: CurrentViews, run: (sql: string) => Promise<unknown>) {
    this.current = current;
    this.run = run;
  }

  /** Whether each view was made, some time ago. */
  get isComplete(): boolean {
    return VIEW_NAMES.every((name) => this.made.has(name));
  }

  /**
   * Brings the views that a statement needs (undefined: all) to what was read last. One call comes after the other, so
   * that none brings back what was there before another.
   */
  bring(tables: ReadonlySet<string> | undefined): Promise<void> {
    const bring = () => this.bringNow(tables);
    const making = this.making.then(bring, bring);
    this.making = making;
    return making;
  }

  /**
   * Makes what is needed, and remakes what reads other files now, in one round trip. Each view takes as long to make as
   * a small question, so those that nobody asks for wait.
   */
  private async bringNow(tables: ReadonlySet<string> | undefined): Promise<void> {
    const views = this.current.newest;
    const seesAll = tables === undefined || [...tables].some((name) => !isView(name));
    const wanted = views.filter(({ name }) => seesAll || !LATE_VIEWS.has(name) || tables.has(name));
    const statements = this.changes(views, wanted);
    if (statements.length === 0) return;
    if (this.made.size === 0) statements.unshift('CREATE SCHEMA IF NOT EXISTS lake');
    await this.run(statements.join(';\n'));
    for (const name of this.made.keys()) {
      if (!views.some((view) => view.name === name)) this.made.delete(name);
    }
    for (const { name, sql } of wanted) this.made.set(name, sql);
  }

  /** The statements that bring the wanted views up to date, and remove those that are no more. */
  private changes(views: readonly View[], wanted: readonly View[]): string[] {
    const gone = [...this.made.keys()].filter((name) => !views.some((view) => view.name === name));
    const changed = wanted.filter(({ name, sql }) => this.made.get(name) !== sql);
    return [
      ...changed.map(({ name, sql }) => `CREATE OR REPLACE VIEW ${name} AS ${sql}`),
      ...gone.map((name) => `DROP VIEW IF EXISTS ${name}`),
    ];
  }
}

/** Whether a name is a view's. Of any other, an error suggests what there is, so that every view has to be there. */
function isView(name: string): boolean {
  return VIEW_NAMES.some((view) => view === name);
}
