import * as t from 'typanion';
import { checkDataFolder } from '../base/data-folder.js';
import { type HxError, toHxError } from '../base/errors.js';
import type { ResearchStore } from '../research/store.js';
import { bankName } from '../rpl/bank-diff.js';
import { normalizeClaim } from '../rpl/claim.js';
import type { RunRecord } from '../rpl/record.js';
import { refuseOtherContent } from './banks.js';
import type { Context } from './context.js';
import { defineHandler } from './handler.js';
import type { Instrument } from './instrument.js';
import { isModelList, prepareInstruments } from './instruments.js';
import { publish, publishLeftOver } from './publish.js';
import { measureForResearch } from './research.js';
import { sideBySide } from './side-by-side.js';
import { SweepProgress } from './sweep-progress.js';
import { sizeFields } from './validators.js';

/** A claim, and the line of the file that it stands on. */
export interface SweepClaim {
  readonly claim: string;
  readonly line?: number | undefined;
}

interface ClaimUnderModel {
  readonly claim: string;
  readonly line: number | null;
  readonly model: string;
}

/** A claim measured under a model. */
export interface SweepRun extends ClaimUnderModel {
  readonly run: RunRecord;
  /** Whether it was measured before. */
  readonly reused: boolean;
}

export interface SweepFailure extends ClaimUnderModel {
  readonly error: HxError;
  /**
   * Null for a failure of this claim alone; else the model can go on no longer, and so many of its claims, this one
   * included, are without a result.
   */
  readonly unasked: number | null;
}

/** What became of one claim under one model. */
export type SweepResult = SweepRun | SweepFailure;

/** The same measurement as check, for experiments: into SQLite, and its row into the lake. */
export const research = defineHandler({
  name: 'research',
  input: t.isObject({
    ...sizeFields,
    claims: t.isArray(t.isObject({ claim: t.isString(), line: t.isOptional(t.isNumber()) })),
    models: t.isOptional(isModelList),
    no_cache: t.isOptional(t.isBoolean()),
  }),
  run: async ({ claims, models, no_cache: again = false, ...sizes }, context) => {
    for (const { claim } of claims) normalizeClaim(claim);
    const instruments = await prepareInstruments(models, sizes, 'local', context);
    return sweep({ claims, again }, instruments, context);
  },
});

interface Work {
  readonly claims: readonly SweepClaim[];
  /** Whether to measure again what was measured before. */
  readonly again: boolean;
}

/**
 * Puts every claim to every model, the models side by side, and yields each run as it ends, its row safely in the
 * lake. One model that fails takes no other down.
 */
async function* sweep(
  work: Work,
  instruments: readonly Instrument[],
  context: Context,
): AsyncGenerator<SweepResult> {
  await checkDataFolder(context.settings.dataDir);
  const store = await context.lanes.research();
  // All ask by the same bank.
  const bank = instruments[0]?.bank;
  if (bank !== undefined) refuseOtherContent(bank, store.otherBankHash(bankName(bank), bank.hash));
  await publishLeftOver(store, context);
  const measurements = work.claims.length * instruments.length;
  const progress = measurements > 1 ? new SweepProgress(measurements, context) : undefined;
  const bench = { store, progress, context: progress?.inner ?? context };
  yield* sideBySide(instruments.map((instrument) => sweepModel(work, instrument, bench)));
}

interface Bench {
  readonly store: ResearchStore;
  readonly progress: SweepProgress | undefined;
  readonly context: Context;
}

/** Puts claim after claim to one model. */
async function* sweepModel(
  { claims, again }: Work,
  instrument: Instrument,
  { store, progress, context }: Bench,
): AsyncGenerator<SweepResult> {
  const { model } = instrument.model.identity;
  for (const [index, { claim, line = null }] of claims.entries()) {
    const subject = { claim, line, model };
    try {
      const measured = await measureForResearch(claim, again, instrument, store, context);
      await publish(measured, store, context);
      progress?.end(model);
      yield { ...subject, ...measured };
    } catch (thrown) {
      const error = toHxError(thrown);
      // Anything else (no credentials, a full disk) would meet the next claim too.
      const unasked = error.code === 'insufficient_samples' ? null : claims.length - index;
      progress?.end(model, unasked ?? 1);
      yield { ...subject, error, unasked };
      if (unasked !== null) return;
    }
  }
}
