/** A column of a result; `type` is the engine's name of its type. */
export interface Column {
  readonly name: string;
  readonly type: string;
}

/** A streaming result of plain JavaScript values, one array of rows a chunk. */
export interface Result {
  readonly columns: readonly Column[];
  readonly chunks: AsyncIterable<unknown[][]>;
}

/** What became of a result's rows once it was rendered. */
export interface Shown {
  /** Rows printed. */
  readonly shown: number;
  /** Rows of the result; `undefined` when there are more than were worth counting. */
  readonly rows: number | undefined;
  /** Whether some cells were cut to fit the width of the terminal. */
  readonly cut: boolean;
}

/** Text pieces as they are ready, then what was shown. */
export type Rendering = AsyncGenerator<string, Shown, undefined>;

/** What was shown by a format that always prints everything. */
export function everything(rows: number): Shown {
  return { shown: rows, rows, cut: false };
}
