import { Command, Option } from 'clipanion';
import type { SettingName } from '../../base/settings-table.js';
import { rowToJson } from '../../rpl/column.js';
import { CHECK_CONTEXT_COLUMNS, type CheckRecord, RUN_COLUMNS } from '../../rpl/record.js';
import { environmentOption } from '../base.js';
import { claimArgument } from '../input.js';
import { MeasuringCommand } from '../measuring.js';
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
      ['What it would cost', 'hx check "Tides are caused by the moon" --model openai/gpt-4.1-mini --dry-run'],
    ],
  });

  claim = Option.String({ name: 'CLAIM|-' });
  env = environmentOption();

  protected override flags(): Partial<Record<SettingName, string | undefined>> {
    return { ...super.flags(), HX_ENV: this.env };
  }

  async execute(): Promise<number> {
    const claim = await claimArgument(this.claim, this.context);
    if (this.dryRun) {
      await this.printDryRun([claim]);
      return 0;
    }
    if ((this.models?.length ?? 0) > 1) return this.checkModels(claim);
    const record = await this.invoke('check', { claim, model: this.oneModel(), ...this.measurementInput() });
    if (this.json) this.printJson(checkToJson(record));
    else {
      const stored = `stored in checks of ${record.env} as ${record.run_id}`;
      this.print(renderMeasurement(record, stored, this.paint));
    }
    return 0;
  }

  /** Several models: one request, a line each; a model that failed does not take the others down. */
  private async checkModels(claim: string): Promise<number> {
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
      this.print(
        this.paint('dim', `stored in checks of ${this.settings.environment}, request ${request_id}`),
      );
      for (const result of results) {
        if ('error' in result) this.context.stderr.write(`hx: ${result.model}: ${result.error.message}\n`);
      }
    }
    const interrupted = failures.find(({ code }) => code === 'interrupted');
    if (interrupted !== undefined) return interrupted.exitCode;
    if (failures.length === 0) return 0;
    // One cause for all is the command's own; otherwise the check has found something.
    const exitCodes = new Set(failures.map(({ exitCode }) => exitCode));
    return failures.length === results.length && exitCodes.size === 1 ? (failures[0]?.exitCode ?? 1) : 1;
  }
}

function checkToJson(record: CheckRecord): Record<string, unknown> {
  return rowToJson([...RUN_COLUMNS, ...CHECK_CONTEXT_COLUMNS], record);
}
