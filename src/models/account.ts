import type { ModelIdentity } from '../rpl/sample.js';
import { RateWindow } from './rate.js';

/** What a minute may hold; undefined for no limit. */
export interface MinuteLimits {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
}

/** What a provider counts for one model of one account, whoever asks: calls, tokens, and a time of silence. */
export class Account {
  readonly requests: RateWindow;
  readonly tokens: RateWindow;
  /** Nothing is sent before this time, milliseconds of the monotonic clock. */
  silentUntilMs = Number.NEGATIVE_INFINITY;

  constructor({ requestsPerMinute, tokensPerMinute }: MinuteLimits = {}) {
    this.requests = new RateWindow(requestsPerMinute ?? Number.POSITIVE_INFINITY);
    this.tokens = new RateWindow(tokensPerMinute ?? Number.POSITIVE_INFINITY);
  }
}

/** The accounts that a process asks. The requests of a server share them. */
export class Accounts {
  private readonly byModel = new Map<string, Account>();

  /** The account behind a model, with these limits from its first use on. */
  of({ model, baseUrl }: ModelIdentity, limits: MinuteLimits): Account {
    const key = JSON.stringify([model, baseUrl]);
    const known = this.byModel.get(key);
    if (known !== undefined) return known;
    const account = new Account(limits);
    this.byModel.set(key, account);
    return account;
  }
}
