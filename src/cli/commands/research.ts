import { Command, Option, UsageError } from 'clipanion';
import * as t from 'typanion';
import { HxError } from '../../base/errors.js';
import type { Context } from '../../handlers/context.js';
import { invoke } from '../../handlers/index.js';
import type { ClaimResult } from '../../handlers/research.js';
import { rowToJson } from '../../rpl/column.js';
import { RUN_COLUMNS } from '../../rpl/record.js';
import { claimArgument, inputName, readInput, readJsonLines } from '../input.js';
import { MeasuringCommand } from '../measuring.js';
import { renderErrorJson } from '../render/error.js';
import { renderMeasurement, renderMeasurementLine } from '../render/measurement.js';

export class ResearchCommand extends MeasuringCommand {
  static override paths = [['research']];
  static override usage = Command.Usage({
    details:
      'Every answer is committed as it arrives, and an interrupted run carries on where it stopped. --claims reads ' +
      'JSON Lines {"claim": "..."}; lines that cannot be read are named and the others still run.',
    examples: [
      ['One claim', 'hx research "Tides are caused by the moon" --model simulator/default'],
      ['Many claims', 'hx research --claims claims.jsonl --model simulator/default'],
      ['Within a limit', 'hx research --claims claims.jsonl --model openai/gpt-4.1-mini --max-cost 0.50'],
    ],
  });

  claim = Option.String({ name: 'CLAIM|-', required: false });
  claims = Option.String('--claims', { description: 'JSON Lines file of claims, or - for standard input' });

  async execute(): Promise<number> {
    this.oneModel();
    const { claims, problems } = await this.readClaims();
    const failures: HxError[] = [...problems];
    if (this.dryRun && claims.length > 0) await this.printDryRun(claims.map(({ claim }) => claim));
    else await this.measure(claims, failures);
    const [only] = failures;
    if (this.claims === undefined && only !== undefined) throw only;
    for (const failure of failures) this.printProblem(failure);
    // Bad input outranks a claim that could not be measured: it is the one the caller can mend.
    return failures.some(({ code }) => code === 'usage') ? 2 : failures.length > 0 ? 1 : 0;
  }

  private async measure(
    claims: readonly { claim: string; line?: number }[],
    failures: HxError[],
  ): Promise<void> {
    const input = { claims, model: this.oneModel(), ...this.measurementInput() };
    await this.withContext(async (context) => {
      for await (const result of await invoke('research', input, context)) {
        if ('error' in result) failures.push(atLine(result.error, this.claims, result.line));
        else await this.printRun(result, context);
      }
    });
  }

  private async readClaims(): Promise<{ claims: { claim: string; line?: number }[]; problems: HxError[] }> {
    if ((this.claim === undefined) === (this.claims === undefined)) {
      throw new UsageError('Give either one claim or --claims FILE');
    }
    if (this.claims === undefined) {
      return { claims: [{ claim: await claimArgument(this.claim ?? '', this.context) }], problems: [] };
    }
    const claims: { claim: string; line: number }[] = [];
    const problems: HxError[] = [];
    for (const { line, value, problem } of readJsonLines(await readInput(this.claims, this.context))) {
      const checked = t.as(value, isClaimLine, { errors: true });
      if (problem !== undefined) problems.push(atLine(new HxError('usage', problem), this.claims, line));
      else if (checked.errors === undefined) claims.push({ claim: checked.value.claim, line });
      else
        problems.push(
          atLine(new HxError('usage', checked.errors.join('; ').replace(/^\./, '')), this.claims, line),
        );
    }
    if (claims.length === 0 && problems.length === 0) {
      throw new HxError('usage', `${this.claims} holds no claims.`, {
        hint: 'Each line is {"claim": "..."}.',
      });
    }
    return { claims, problems };
  }

  private async printRun(result: Extract<ClaimResult, { run: unknown }>, context: Context): Promise<void> {
    const { run, reused } = result;
    const source = { lane: 'research', run_id: run.run_id };
    const explanation = this.explain ? await invoke('explain', source, context) : undefined;
    if (this.json) {
      const row = { ...rowToJson(RUN_COLUMNS, run), reused, explanation };
      this.context.stdout.write(`${JSON.stringify(row)}\n`);
      return;
    }
    if (this.claims !== undefined) {
      this.print(
        renderMeasurementLine(
          run,
          run.claim,
          reused ? this.paint('dim', '  (measured before)') : '',
          this.paint,
        ),
      );
      await this.printExplanation(explanation);
      return;
    }
    const stored = reused
      ? `measured before as ${run.run_id}; --no-cache measures again`
      : `stored in research.sqlite and the lake as ${run.run_id}`;
    this.print(renderMeasurement(run, stored, this.paint));
    await this.printExplanation(explanation);
  }

  private printProblem(error: HxError): void {
    this.context.stderr.write(this.json ? renderErrorJson(error) : `hx: ${error.message}\n`);
  }
}

/** Fields beside the claim (an id, a label) are the caller's own and allowed. */
const isClaimLine = t.isPartial({ claim: t.isString() });

function atLine(error: HxError, file: string | undefined, line: number | null): HxError {
  if (line === null) return error;
  return new HxError(error.code, `${inputName(file ?? '-')}, line ${line}: ${error.message}`, {
    hint: error.hint,
    cause: error,
  });
}
