/** What a handler tells its caller while it works. The caller decides whether and how to show it. */
export type ProgressEvent =
  /** One thing worth a line: a wait, a retry, a file written. */
  | { type: 'note'; message: string }
  /** Something that does not answer yet and why, every second; the time left until hx gives up, null once it is over. */
  | { type: 'wait'; what: string; reason: string | null; elapsedMs: number; leftMs: number | null }
  /** Model calls of one measurement. Counts are of samples or readouts but for `calls` and `retried`, which count calls. */
  | {
      type: 'calls';
      /** What is counted, `samples` unless said; readouts follow the samples and count on from them. */
      what?: 'samples' | 'samples and readouts';
      claim: string;
      model: string;
      done: number;
      total: number;
      usable: number;
      calls: number;
      retried: number;
      costUsd: number | null;
      elapsedMs: number;
    }
  /** A sweep: many measurements, several at once. `done` is `ended` and the parts of those under way. */
  | {
      type: 'sweep';
      ended: number;
      done: number;
      total: number;
      calls: number;
      retried: number;
      costUsd: number | null;
      elapsedMs: number;
    }
  /** Steps of a known number: days of an export, migrations. */
  | { type: 'progress'; what: string; done: number; total: number; elapsedMs: number };

export type EmitProgress = (event: ProgressEvent) => void;
