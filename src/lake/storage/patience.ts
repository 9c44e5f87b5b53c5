/** How long a server is waited for. */
export interface Patience {
  /** Attempts of one request, at most. */
  readonly attempts: number;
  /** The same for an address that leads to no server (`isUnreachable`), as long as none has answered there. */
  readonly firstContactAttempts: number;
  /** The wait before the second attempt, in milliseconds; it doubles from then on, up to `longestWaitMs`. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** Silence of a server, in milliseconds, after which an attempt counts as lost. */
  readonly silenceMs: number;
  /** The slowest upload that is no silence, in bytes a second. */
  readonly slowestBytesPerSecond: number;
  /** How long after its beginning a request of `repeatsInTime` may be sent again, in milliseconds by the wall clock. */
  readonly repeatMs: number;
}

/**
 * Waits 25 s in all for a server that refuses at once, and up to four minutes for one that says nothing; but a second
 * or so for an address that was never of use, as it is most likely mistyped.
 */
export const PATIENCE: Patience = {
  attempts: 8,
  firstContactAttempts: 3,
  firstWaitMs: 200,
  longestWaitMs: 8_000,
  silenceMs: 30_000,
  slowestBytesPerSecond: 100_000,
  // S3 takes no request that was signed a quarter of an hour ago, so all ends well within an hour.
  repeatMs: 15 * 60_000,
};
