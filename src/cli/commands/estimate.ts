import { Command, Option } from 'clipanion';
import * as t from 'typanion';
import { HxError } from '../../base/errors.js';
import { fieldProblems } from '../../base/field-problems.js';
import { isWholeNumber } from '../../handlers/validators.js';
import { SIZE } from '../../rpl/plan.js';
import { HxCommand } from '../base.js';
import { inputName, readInput, readJsonLines } from '../input.js';
import { renderEstimate } from '../render/measurement.js';

export class EstimateCommand extends HxCommand {
  static override paths = [['estimate']];
  static override usage = Command.Usage({
    details:
      'Reads JSON Lines {"template": "...", "replicate": 0, "prob_true": 0.7} and prints the estimate that a ' +
      'check would give for them. The order of the lines does not matter.',
    examples: [
      ['From a file', 'hx estimate samples.jsonl'],
      [
        'From a pipe, as JSON, with the reference-compatible estimator',
        'cat samples.jsonl | hx estimate - --estimator rpl-1 --json',
      ],
    ],
  });

  file = Option.String({ name: 'FILE|-' });
  estimator = Option.String('--estimator,--ci', { description: 'Interval: rpl-2 (default), rpl-1 or t' });
  b = Option.String('-B', {
    description: 'Bootstrap resamples, 100 to 100000 (5000)',
    validator: isWholeNumber(SIZE.b),
  });
  seed = Option.String('--seed', { description: 'Bootstrap seed; by default it follows from the samples' });

  explain = Option.Boolean('--explain', false, {
    description:
      'Also every estimator side by side, the template means, where the scatter comes from and what a width costs',
  });

  async execute(): Promise<void> {
    const lines = readJsonLines(await readInput(this.file, this.context));
    if (lines.length === 0) {
      throw new HxError('usage', `${inputName(this.file)} holds no samples.`, { hint: LINE_FORM });
    }
    const { isEstimatorSample } = await import('../../handlers/estimate.js');
    const samples = lines.map(({ line, value, problem }) => {
      if (problem !== undefined) throw malformedLine(this.file, line, problem);
      const { errors } = t.as(value, isEstimatorSample, { errors: true });
      if (errors !== undefined) throw malformedLine(this.file, line, fieldProblems(errors).join('; '));
      return value;
    });
    const { estimator, b, seed } = this;
    const input = { samples, estimator, b, seed };
    const result = await this.invoke('estimate', input);
    const explanation = this.explain ? await this.invoke('explainEstimate', input) : undefined;
    if (this.json) {
      this.printJson({ ...result, explanation });
      return;
    }
    this.print(renderEstimate(result, this.paint));
    if (explanation !== undefined) {
      const { renderExplanation } = await import('../render/explanation.js');
      this.print(renderExplanation(explanation, 'samples', this.paint));
    }
  }
}

const LINE_FORM =
  'Each line is a JSON object {"template": text, "replicate": 0, 1, ..., "prob_true": 0 to 1}.';

function malformedLine(file: string, line: number, problem: string): HxError {
  return new HxError('usage', `${inputName(file)}, line ${line}: ${problem}`, { hint: LINE_FORM });
}
