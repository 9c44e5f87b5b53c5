/** What overload leaves of the calls in flight: half, as the way back to nearly the old width is quick. */
const DECREASE = 0.5;
/**
 * Refusals beyond this share of recent calls, chance aside, are put down to our load. Where one call in ten is refused
 * by chance, the share hardly gets there; a width of 4/3 of a steady limit does.
 */
const OVERLOAD_SHARE = 0.25;
/** Refusals within this share, chance aside, are no reason to stay as narrow as it is. */
const CALM_SHARE = 0.08;
/** Weight of the newest call in the share, a moving average: about the last 80 calls count (2 / weight). */
const NEWEST_WEIGHT = 0.025;
/** Between two tries of a width that was too much before: rate limits count by time, not by calls. */
const PROBE_EVERY_MS = 5_000;
/** Calls at one width that tell its share of refusals: of one in ten, to within 0.03. */
const TRIAL_CALLS = 100;
/** A narrower width is the remedy when no more than this is left of the refusals, chance aside. */
const REMEDIED_SHARE = 0.2;

/** Full counts after which what was put down to chance is put to the test again. */
const RETEST_AFTER = 10;

/** A narrower width on trial. */
interface Trial {
  /** The width before. */
  readonly from: number;
  /** Its share of refusals. */
  readonly share: number;
  /** The share of refusals that is put down to chance meanwhile. */
  readonly chance: number;
}

/**
 * How many calls may be in flight: additive increase, multiplicative decrease (Chiu and Jain 1989), and trials. It
 * halves when many recent calls were refused, or when no answer has come since it was last lowered or since the
 * start. Fewer refusals than that, but steady ones, may come from a width that is a little too much, or by chance at
 * any width. To find out, a narrower one is tried that would be right for a limit of ours: when it is refused
 * less, it stays; when not, the old width comes back and that share of refusals counts as chance.
 */
export class Width {
  /** Calls in flight at once, at most. */
  private readonly concurrency: number;
  private allowed: number;
  private answersInWindow = 0;
  /** Of recent calls, those that met overload. */
  private overloadShare = 0;
  /** Of all calls, those that are refused at any width. */
  private chanceShare = 0;
  /** Whether an answer came since load was last seen to be too much; nothing is known before the first. */
  private hasAnswer = false;
  private decreasedAtMs = Number.NEGATIVE_INFINITY;
  private changedAtMs = Number.NEGATIVE_INFINITY;
  /** The width that was too much when it was last lowered. */
  private ceiling = Number.POSITIVE_INFINITY;
  private trial: Trial | undefined;
  private countsSinceTrial = 0;
  /** Calls that ended at the present width, those aside that were under way when it began. */
  private ended = { before: 0, calls: 0, refused: 0 };

  constructor(concurrency: number) {
    this.concurrency = concurrency;
    this.allowed = concurrency;
  }

  get limit(): number {
    return this.allowed;
  }

  get isAnswering(): boolean {
    return this.hasAnswer;
  }

  /** One answer came; a window full of them allows one more call at once, up to what was too much before. */
  answered(nowMs: number): void {
    this.hasAnswer = true;
    this.overloadShare -= NEWEST_WEIGHT * this.overloadShare;
    this.answersInWindow += 1;
    this.judge(false, nowMs);
    if (this.trial !== undefined || this.answersInWindow < this.allowed) return;
    if (this.allowed >= this.concurrency || this.overloadShare > this.chanceShare + CALM_SHARE) return;
    const isProbe = this.allowed + 1 >= this.ceiling;
    if (isProbe && nowMs - this.changedAtMs < PROBE_EVERY_MS) return;
    this.resize(this.allowed + 1, nowMs);
    if (isProbe) this.ceiling = this.allowed + 1;
  }

  /**
   * One call was refused for overload.
   * @returns whether that looks like the work of our load.
   */
  overloaded(startedMs: number, nowMs: number): boolean {
    // Calls that were under way together fail together: they are one sign of overload, not many.
    const isNews = startedMs >= this.decreasedAtMs;
    if (isNews) this.overloadShare += NEWEST_WEIGHT * (1 - this.overloadShare);
    if (this.hasAnswer && this.overloadShare <= this.chanceShare + OVERLOAD_SHARE) {
      this.judge(true, nowMs);
      return false;
    }
    // Refusals in a row, with no answer between them, would have met a narrower width too: only the first says where
    // too much begins.
    if (isNews && this.hasAnswer) this.ceiling = this.allowed;
    this.hasAnswer = false;
    if (!isNews) return true;
    this.decreasedAtMs = nowMs;
    // What was seen at the old width proves nothing about the new one.
    this.overloadShare = 0;
    this.trial = undefined;
    this.resize(Math.max(1, Math.floor(this.allowed * DECREASE)), nowMs);
    return true;
  }

  /** Counts a call towards what is known of the present width, and acts on it once it is enough. */
  private judge(isRefused: boolean, nowMs: number): void {
    const { ended } = this;
    if (ended.before > 0) {
      ended.before -= 1;
      return;
    }
    ended.calls += 1;
    if (isRefused) ended.refused += 1;
    if (this.trial !== undefined) this.endTrial(this.trial, nowMs);
    else if (ended.calls >= TRIAL_CALLS) this.beginTrial(ended.refused / ended.calls, nowMs);
  }

  private beginTrial(share: number, nowMs: number): void {
    this.countsSinceTrial += 1;
    const chance = this.countsSinceTrial < RETEST_AFTER ? this.chanceShare : 0;
    const excess = share - chance;
    if (excess <= CALM_SHARE || this.allowed === 1) {
      this.chanceShare = Math.min(this.chanceShare, (this.chanceShare + share) / 2);
      this.ended = { before: 0, calls: 0, refused: 0 };
      return;
    }
    this.trial = { from: this.allowed, share, chance };
    this.countsSinceTrial = 0;
    // Of a limit, the calls beyond it are those that are refused.
    this.resize(Math.max(1, Math.min(this.allowed - 1, Math.floor(this.allowed * (1 - excess)))), nowMs);
  }

  private endTrial({ from, share, chance }: Trial, nowMs: number): void {
    const { calls, refused } = this.ended;
    const most = TRIAL_CALLS * (chance + REMEDIED_SHARE * (share - chance));
    if (refused > most) {
      this.trial = undefined;
      this.chanceShare = share;
      this.resize(from, nowMs);
    } else if (calls >= TRIAL_CALLS) {
      this.trial = undefined;
      this.chanceShare = chance;
      this.ceiling = this.allowed + 1;
      this.resize(this.allowed, nowMs);
    }
  }

  private resize(width: number, nowMs: number): void {
    this.ended = { before: this.allowed, calls: 0, refused: 0 };
    this.allowed = width;
    this.answersInWindow = 0;
    this.changedAtMs = nowMs;
  }
}
