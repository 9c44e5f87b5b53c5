import { Option } from 'clipanion';
import * as t from 'typanion';
import { HxError } from '../base/errors.js';
import { SETTINGS, type SettingName } from '../base/settings-table.js';
import { isWholeNumber } from '../handlers/validators.js';
import type { Explanation } from '../rpl/explain.js';
import { SIZE } from '../rpl/plan.js';
import { HxCommand } from './base.js';
import { renderError, renderErrorJson } from './render/error.js';
import { coloured, plain } from './render/style.js';

/** A command that measures: the options by which check and research size their calls. */
export abstract class MeasuringCommand extends HxCommand {
  models = Option.Array('--model', {
    description:
      'Model as provider/name, for example openai/gpt-4.1-mini or simulator/default; again for several, side by side',
  });
  bank = Option.String('--bank', { description: 'Prompt bank: a name, or the path of a YAML file' });
  k = Option.String('-K', {
    description: 'Paraphrase slots, 2 to 64 (16)',
    validator: isWholeNumber(SIZE.k),
  });
  r = Option.String('-R', {
    description: 'Replicates a slot, 1 to 16 (2)',
    validator: isWholeNumber(SIZE.r),
  });
  t = Option.String('-T', {
    description: 'Templates, 2 to 64 (16); no more than -K, nor than the bank has',
    validator: isWholeNumber(SIZE.t),
  });
  b = Option.String('-B', {
    description: 'Bootstrap resamples, 100 to 100000 (5000)',
    validator: isWholeNumber(SIZE.b),
  });
  seed = Option.String('--seed', {
    description: 'Bootstrap seed; by default it follows from the configuration',
  });
  estimator = Option.String('--estimator,--ci', { description: 'Interval: rpl-2 (default), rpl-1 or t' });
  wantedWidth = Option.String('--width', {
    description:
      'Wanted width of the interval, 0.01 to 0.9: asks 8 templates first, then as many as it takes; instead of -K and -T',
    validator: t.isNumber(),
  });
  maxCalls = Option.String('--max-calls', {
    description: 'Samples to ask for at most on the way to --width; retries come on top',
    validator: isWholeNumber(SIZE.calls),
  });
  concurrency = Option.String('--concurrency', {
    description: 'Calls in flight at once, 1 to 256 (16, or HX_CONCURRENCY)',
    validator: isWholeNumber(SETTINGS.HX_CONCURRENCY.number),
  });
  rpm = Option.String('--rpm', {
    description: 'Calls within any minute, at most (no limit, or HX_REQUESTS_PER_MINUTE)',
  });
  tpm = Option.String('--tpm', {
    description: 'Tokens within any minute, at most (no limit, or HX_TOKENS_PER_MINUTE)',
  });
  maxWait = Option.String('--max-wait', {
    description:
      'Seconds without any answer beyond which to stop with exit code 4 (120, or HX_MAX_WAIT_SECONDS)',
  });
  maxCost = Option.String('--max-cost', {
    description:
      'US dollars that this command may spend, beyond which it stops with exit code 4 (HX_MAX_COST_USD)',
  });
  dryRun = Option.Boolean('--dry-run', false, {
    description: 'Only print how many calls, tokens and dollars it would take; sends nothing',
  });
  explain = Option.Boolean('--explain', false, {
    description:
      'Also every estimator side by side, the template means, where the scatter comes from and what a width costs',
  });
  readout = Option.Boolean('--readout', false, {
    description:
      'Also P(True) by the token probabilities of the model, one call a template; OpenAI, xAI, compatible servers and the simulator',
  });
  noCache = Option.Boolean('--no-cache', false, {
    description: 'Measure again instead of using stored answers',
  });

  /** Limits are settings, so that whoever asks over HTTP cannot lift them. */
  protected override flags(): Partial<Record<SettingName, string | undefined>> {
    return {
      HX_REQUESTS_PER_MINUTE: this.rpm,
      HX_TOKENS_PER_MINUTE: this.tpm,
      HX_MAX_WAIT_SECONDS: this.maxWait,
      HX_MAX_COST_USD: this.maxCost,
    };
  }

  /** Prints what measuring these claims would take, model by model. */
  protected async printDryRun(claims: readonly string[], lane: 'operational' | 'research'): Promise<void> {
    this.refuseBeside(
      '--dry-run',
      { '--explain': this.explain },
      'nothing is measured that could be explained',
    );
    const { renderDryRun, renderLimit } = await import('./render/dry-run.js');
    const input = { claims, lane, models: this.models, ...this.measurementInput() };
    const results = await this.invoke('dryRun', input);
    if (this.json) {
      this.printJson(results.length === 1 ? results[0] : results);
      return;
    }
    for (const result of results) this.print(renderDryRun(result, this.paint));
    this.print(renderLimit(results, this.paint));
  }

  /** Prints an explanation below a measurement, when there is one. */
  protected async printExplanation(explanation: Explanation | undefined): Promise<void> {
    if (explanation === undefined) return;
    const { renderExplanation } = await import('./render/explanation.js');
    this.print(renderExplanation(explanation, 'run', this.paint));
  }

  /** Prints failures on standard error; those that share a hint get it once, after the last of them. */
  protected printFailures(failures: readonly HxError[]): void {
    const paint = this.mayColour(this.context.stderr) ? coloured : plain;
    const told = failures.filter(({ message }) => message !== '');
    for (const [index, failure] of told.entries()) {
      const { code, message, hint } = failure;
      const isLast = hint !== told[index + 1]?.hint;
      const shown = new HxError(code, message, { hint: isLast ? hint : undefined });
      this.context.stderr.write(this.json ? renderErrorJson(failure) : renderError(shown, paint, false));
    }
  }

  /**
   * Refuses options that would be ignored.
   * @param named the option beside which they mean nothing.
   * @param others values by option; undefined and false stand for one that was not given.
   * @throws HxError `usage` naming all of them.
   */
  protected refuseBeside(named: string, others: Readonly<Record<string, unknown>>, reason: string): void {
    const given = Object.keys(others).filter((name) => others[name] !== undefined && others[name] !== false);
    if (given.length === 0) return;
    const list = given.join(', ');
    throw new HxError('usage', `${named} does not go with ${list}: ${reason}.`, {
      hint: `Leave out ${named}, or ${list}.`,
    });
  }

  /** The options that only say how a measurement is carried out. */
  protected carryingOut(): Readonly<Record<string, unknown>> {
    return {
      '--concurrency': this.concurrency,
      '--rpm': this.rpm,
      '--tpm': this.tpm,
      '--max-wait': this.maxWait,
      '--max-cost': this.maxCost,
      '--no-cache': this.noCache,
    };
  }

  /** How the measurement is sized, whatever the model. */
  protected measurementInput() {
    const { bank, k, r, t: templates, b, seed, estimator, concurrency } = this;
    const precision = { width: this.wantedWidth, max_calls: this.maxCalls };
    const size = { k, r, t: templates, b, seed, estimator, ...precision };
    return { bank, ...size, concurrency, readout: this.readout, no_cache: this.noCache };
  }
}

/** The same error, named for what it is about: a model, a line of a file. One that is to be silent stays so. */
export function about(what: string, error: HxError): HxError {
  const { code, message, hint, facts } = error;
  if (message === '') return error;
  return new HxError(code, `${what}: ${message}`, { hint, facts, cause: error });
}
