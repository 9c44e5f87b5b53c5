import { Command, Option } from 'clipanion';
import type { SettingName } from '../../base/settings-table.js';
import { rowToJson } from '../../rpl/column.js';
import { CHECK_CONTEXT_COLUMNS, RUN_COLUMNS } from '../../rpl/record.js';
import { environmentOption } from '../base.js';
import { claimArgument } from '../input.js';
import { MeasuringCommand } from '../measuring.js';
import { renderMeasurement } from '../render/measurement.js';

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
      ['What it would cost', 'hx check "Tides are caused by the moon" --model openai/gpt-4.1-mini --dry-run'],
    ],
  });

  claim = Option.String({ name: 'CLAIM|-' });
  env = environmentOption();

  protected override flags(): Partial<Record<SettingName, string | undefined>> {
    return { ...super.flags(), HX_ENV: this.env };
  }

  async execute(): Promise<void> {
    const claim = await claimArgument(this.claim, this.context);
    if (this.dryRun) {
      await this.printDryRun([claim]);
      return;
    }
    const record = await this.invoke('check', { claim, ...this.measurementInput() });
    if (this.json) this.printJson(rowToJson([...RUN_COLUMNS, ...CHECK_CONTEXT_COLUMNS], record));
    else
      this.print(
        renderMeasurement(record, `stored in checks of ${record.env} as ${record.run_id}`, this.paint),
      );
  }
}
