import { Command, Option, UsageError } from 'clipanion';
import * as t from 'typanion';
import { HxError, toHxError } from '../../base/errors.js';
import { fieldProblems } from '../../base/field-problems.js';
import type { Context } from '../../handlers/context.js';
import { invoke } from '../../handlers/index.js';
import type { SweepClaim, SweepFailure, SweepRun } from '../../handlers/sweep.js';
import { normalizeClaim } from '../../rpl/claim.js';
import { rowToJson } from '../../rpl/column.js';
import { RUN_COLUMNS } from '../../rpl/record.js';
import { exitCodeOf } from '../failures.js';
import { claimArgument, inputName, type JsonLine, readInput, readJsonLines } from '../input.js';
import { about, MeasuringCommand } from '../measuring.js';
import { renderMeasurement, renderMeasurementLine } from '../render/measurement.js';

export class ResearchCommand extends MeasuringCommand {
  static override paths = [['research']];
  static override usage = Command.Usage({
    details:
      'Every answer is committed as it arrives, and an interrupted run carries on where it stopped. --claims reads ' +
      'JSON Lines {"claim": "..."}; lines that cannot be read are named and the others still run. Several --model are ' +
      'asked side by side, one run each; one that fails does not stop the others.',
    examples: [
      ['One claim', 'hx research "Tides are caused by the moon" --model simulator/default'],
      ['Many claims', 'hx research --claims claims.jsonl --model simulator/default'],
      [
        'Many claims under several models, side by side',
        'hx research --claims claims.jsonl --model openai/gpt-4.1-mini --model simulator/default',
      ],
      ['Within a limit', 'hx research --claims claims.jsonl --model openai/gpt-4.1-mini --max-cost 0.50'],
    ],
  });

  claim = Option.String({ name: 'CLAIM|-', required: false });
  claims = Option.String('--claims', { description: 'JSON Lines file of claims, or - for standard input' });

  async execute(): Promise<number> {
    const { claims, problems } = await this.readClaims();
    if (this.dryRun) {
      if (claims.length > 0) {
        await this.printDryRun(
          claims.map(({ claim }) => claim),
          'research',
        );
      }
      this.printFailures(problems);
      return problems.length > 0 ? 2 : 0;
    }
    const failures: SweepFailure[] = [];
    try {
      if (claims.length > 0) await this.measure(claims, failures);
    } finally {
      const ofClaims = failures.map((failure) => this.named(failure, claims.length));
      this.printFailures([...problems, ...ofClaims].sort(byLine));
    }
    const ends = failures.filter(({ unasked }) => unasked !== null);
    const isAll = ends.length === (this.models?.length ?? 1);
    const exitCode = exitCodeOf(
      (isAll ? ends : failures).map(({ error }) => error),
      isAll,
    );
    // Bad input outranks a claim that could not be measured: it is the one the caller can mend.
    return problems.length > 0 && exitCode !== 130 ? 2 : exitCode;
  }

  private async measure(claims: readonly SweepClaim[], failures: SweepFailure[]): Promise<void> {
    const input = { claims, models: this.models, ...this.measurementInput() };
    const isAlone = this.claims === undefined && (this.models?.length ?? 1) === 1;
    await this.withContext(async (context) => {
      for await (const result of await invoke('research', input, context)) {
        if ('run' in result) await this.printRun(result, context);
        else if (isAlone) throw result.error;
        else failures.push(result);
      }
    });
  }

  /** The error with what it is about, as far as the command is about more than one. */
  private named({ error, model, line, unasked }: SweepFailure, claims: number): HxError {
    const ofModel = (this.models?.length ?? 1) > 1 ? about(model, error) : error;
    if (unasked === null) return line === null ? ofModel : this.atLine(line, ofModel);
    if (claims === 1 || ofModel.message === '') return ofModel;
    const { code, message, hint, facts } = ofModel;
    const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
    const left = `${unasked} of ${claims} claims have no result.`;
    return new HxError(code, `${sentence} ${left}`, { hint, facts, cause: error });
  }

  private atLine(line: number, error: HxError): HxError {
    const { code, message, hint, facts } = about(`${inputName(this.claims ?? '-')}, line ${line}`, error);
    return new HxError(code, message, { hint, facts: { ...facts, line }, cause: error });
  }

  private async readClaims(): Promise<{ claims: SweepClaim[]; problems: HxError[] }> {
    if (this.claim === undefined && this.claims === undefined) {
      throw new UsageError('Give one claim, or --claims FILE');
    }
    if (this.claim !== undefined && this.claims !== undefined) {
      throw new HxError(
        'usage',
        'A claim and --claims are both given: either one is measured or those of a file.',
        {
          hint: 'Leave out the claim, or --claims.',
        },
      );
    }
    if (this.claims === undefined) {
      return {
        claims: [{ claim: normalizeClaim(await claimArgument(this.claim ?? '', this.context)) }],
        problems: [],
      };
    }
    const claims: SweepClaim[] = [];
    const problems: HxError[] = [];
    for (const one of readJsonLines(await readInput(this.claims, this.context))) {
      try {
        claims.push({ claim: claimOf(one), line: one.line });
      } catch (thrown) {
        problems.push(this.atLine(one.line, toHxError(thrown)));
      }
    }
    if (claims.length === 0 && problems.length === 0) {
      throw new HxError('usage', `${inputName(this.claims)} holds no claims.`, { hint: LINE_FORM });
    }
    return { claims, problems };
  }

  private async printRun({ run, reused }: SweepRun, context: Context): Promise<void> {
    const source = { lane: 'research', run_id: run.run_id };
    const explanation = this.explain ? await invoke('explain', source, context) : undefined;
    if (this.json) {
      const row = { ...rowToJson(RUN_COLUMNS, run), reused, explanation };
      this.context.stdout.write(`${JSON.stringify(row)}\n`);
      return;
    }
    const severalModels = (this.models?.length ?? 1) > 1;
    if (this.claims !== undefined || severalModels) {
      const parts = [
        ...(severalModels ? [run.model] : []),
        ...(this.claims === undefined ? [] : [run.claim]),
      ];
      const note = reused ? this.paint('dim', '  (measured before)') : '';
      this.print(renderMeasurementLine(run, parts.join(': '), note, this.paint));
    } else {
      const stored = reused
        ? `measured before as ${run.run_id}; --no-cache measures again`
        : `stored in research.sqlite and the lake as ${run.run_id}`;
      this.print(renderMeasurement(run, stored, this.paint));
    }
    await this.printExplanation(explanation);
  }
}

/** Those about a line in its order, then the others. */
function byLine(left: HxError, right: HxError): number {
  const lineOf = ({ facts }: HxError) => Number(facts?.['line'] ?? Number.MAX_SAFE_INTEGER);
  return lineOf(left) - lineOf(right);
}

const LINE_FORM = 'Each line is a JSON object {"claim": "..."}; other fields are yours.';

/** Fields beside the claim (an id, a label) are the caller's own and allowed. */
const isClaimLine = t.isPartial({ claim: t.isString() });

/** @throws HxError `usage` for a line that holds no claim, or one that cannot be measured. */
function claimOf({ value, problem }: JsonLine): string {
  if (problem !== undefined) throw new HxError('usage', problem, { hint: LINE_FORM });
  const checked = t.as(value, isClaimLine, { errors: true });
  if (checked.errors === undefined) return normalizeClaim(checked.value.claim);
  throw new HxError('usage', fieldProblems(checked.errors).join('; '), { hint: LINE_FORM });
}
