import { Command, Option, UsageError } from 'clipanion';
import * as t from 'typanion';
import { HxError } from '../../base/errors.js';
import type { SettingName } from '../../base/settings-table.js';
import type { Context } from '../../handlers/context.js';
import { invoke } from '../../handlers/index.js';
import { normalizeClaim } from '../../rpl/claim.js';
import { rowToJson } from '../../rpl/column.js';
import type { Explanation } from '../../rpl/explain.js';
import { CHECK_CONTEXT_COLUMNS, type CheckRecord, RUN_COLUMNS } from '../../rpl/record.js';
import { environmentOption } from '../base.js';
import { exitCodeOf } from '../failures.js';
import { claimArgument } from '../input.js';
import { about, MeasuringCommand } from '../measuring.js';
import { errorToJson } from '../render/error.js';
import { renderMeasurement, renderMeasurementLine } from '../render/measurement.js';

export class CheckCommand extends MeasuringCommand {
  static override paths = [['check']];
  static override usage = Command.Usage({
    details:
      "Asks in many wordings, stores every answer and the result in the environment's database, and answers an " +
      'identical check from its cache. The claim - reads standard input.',
    examples: [
      [
        'With the simulator, which needs no key',
        'hx check "Tides are caused by the moon" --model simulator/default',
      ],
      ['With a model, as JSON', 'hx check "Tides are caused by the moon" --model openai/gpt-4.1-mini --json'],
      [
        'Several models side by side',
        'hx check "Tides are caused by the moon" --model openai/gpt-4.1-mini --model simulator/default',
      ],
      [
        'As many wordings as an interval of width 0.15 takes',
        'hx check "Tides are caused by the moon" --model simulator/default --bank wide --width 0.15',
      ],
      [
        'How many that may be, and what they cost',
        'hx check "Tides are caused by the moon" --bank wide --width 0.15 --plan --model openai/gpt-4.1-mini',
      ],
      [
        'What lies behind the estimate',
        'hx check "Tides are caused by the moon" --model simulator/default --explain',
      ],
      [
        'Beside what the model says, what its token probabilities say',
        'hx check "Tides are caused by the moon" --model simulator/default --readout',
      ],
      ['What it would cost', 'hx check "Tides are caused by the moon" --model openai/gpt-4.1-mini --dry-run'],
    ],
  });

  claim = Option.String({ name: 'CLAIM|-' });
  env = environmentOption();

  plan = Option.Boolean('--plan', false, {
    description:
      'Only print how many calls --width would take, and with --model what they cost; sends nothing',
  });
  tau = Option.String('--tau', {
    description: 'For --plan: spread between templates in logits (0.4)',
    validator: t.isNumber(),
  });
  sigma = Option.String('--sigma', {
    description: 'For --plan: spread between replicates in logits (0.2)',
    validator: t.isNumber(),
  });

  protected override flags(): Partial<Record<SettingName, string | undefined>> {
    return { ...super.flags(), HX_ENV: this.env };
  }

  async execute(): Promise<number> {
    const claim = normalizeClaim(await claimArgument(this.claim, this.context));
    if (this.plan) {
      await this.printPlan(claim);
      return 0;
    }
    this.refuseWithoutPlan();
    if (this.dryRun) {
      await this.printDryRun([claim], 'operational');
      return 0;
    }
    if ((this.models?.length ?? 0) > 1) return this.checkModels(claim);
    const input = { claim, model: this.models?.[0], ...this.measurementInput() };
    const { record, explanation } = await this.withContext(async (context) => {
      const made = await invoke('check', input, context);
      return { record: made, explanation: await this.explanationOf(made, context) };
    });
    if (this.json) this.printJson({ ...checkToJson(record), explanation });
    else {
      const stored = `stored in checks of ${record.env} as ${record.run_id}`;
      this.print(renderMeasurement(record, stored, this.paint));
      await this.printExplanation(explanation);
    }
    return 0;
  }

  private async explanationOf({ run_id }: CheckRecord, context: Context): Promise<Explanation | undefined> {
    return this.explain ? invoke('explain', { lane: 'operational', run_id }, context) : undefined;
  }

  private refuseWithoutPlan(): void {
    const spreads = { '--tau': this.tau, '--sigma': this.sigma };
    const [name] = Object.entries(spreads).flatMap(([option, value]) => (value === undefined ? [] : option));
    if (name === undefined) return;
    throw new HxError('usage', `${name} is for --plan, which is not given: a measurement finds it out.`, {
      hint: `Add --plan, or leave out ${name}.`,
    });
  }

  /** What the wanted width would take, in dollars too for a model; sends nothing. */
  private async printPlan(claim: string): Promise<void> {
    const { bank, k, r, t: templates, width, max_calls, readout } = this.measurementInput();
    if (width === undefined) throw new UsageError('--plan needs the --width to plan for');
    const unused = {
      '--dry-run': this.dryRun,
      '--explain': this.explain,
      'several --model': (this.models?.length ?? 0) > 1,
      '--estimator': this.estimator,
      '-B': this.b,
      '--seed': this.seed,
      ...this.carryingOut(),
    };
    this.refuseBeside(
      '--plan',
      unused,
      'it reckons by the width and the spread, and by what one model costs',
    );
    const { tau, sigma } = this;
    const size = { claim, model: this.models?.[0], width, bank, k, r, t: templates, max_calls, readout };
    const plan = await this.invoke('planWidth', { ...size, tau, sigma });
    if (this.json) this.printJson(plan);
    else {
      const { renderWidthPlan } = await import('../render/explanation.js');
      this.print(renderWidthPlan(plan, this.paint));
    }
  }

  /** Several models: one request, a line each; a model that failed does not take the others down. */
  private async checkModels(claim: string): Promise<number> {
    if (this.explain) {
      throw new HxError('usage', '--explain does not go with several --model: it explains one check.', {
        hint: 'Explain each on its own: the same command with one --model comes from the cache.',
      });
    }
    const input = { claim, models: this.models, ...this.measurementInput() };
    const { request_id, results } = await this.invoke('checkModels', input);
    const failures = results.flatMap((result) => ('error' in result ? [result.error] : []));
    if (this.json) {
      const shown = results.map((result) =>
        'error' in result
          ? { model: result.model, ...errorToJson(result.error) }
          : { model: result.model, check: checkToJson(result.check) },
      );
      this.printJson({ request_id, results: shown });
    } else {
      const width = Math.max(...results.map(({ model }) => model.length));
      for (const result of results) {
        if ('check' in result) {
          const note = result.check.was_cached ? this.paint('dim', '  (from the cache)') : '';
          this.print(renderMeasurementLine(result.check, result.model.padEnd(width), note, this.paint));
        }
      }
      if (failures.length < results.length) {
        this.print(
          this.paint('dim', `stored in checks of ${this.settings.environment}, request ${request_id}`),
        );
      }
      for (const result of results) {
        if ('error' in result) this.printFailures([about(result.model, result.error)]);
      }
    }
    return exitCodeOf(failures, failures.length === results.length);
  }
}

function checkToJson(record: CheckRecord): Record<string, unknown> {
  return rowToJson([...RUN_COLUMNS, ...CHECK_CONTEXT_COLUMNS], record);
}
