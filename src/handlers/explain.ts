import * as t from 'typanion';
import { HxError } from '../base/errors.js';
import type { Database } from '../operational/connection.js';
import type { EstimatorSample } from '../rpl/estimator.js';
import { type Explanation, explain as explainSamples } from '../rpl/explain.js';
import { storedFirstStage } from '../rpl/growth.js';
import { usableSamples } from '../rpl/outcome.js';
import { SIZE } from '../rpl/plan.js';
import { explainReadouts, type Readout } from '../rpl/readout.js';
import type { RunRecord } from '../rpl/record.js';
import { storedSources } from '../rpl/run.js';
import type { AllocationLimits } from '../rpl/variance.js';
import { loadBank, shippedBanks } from './banks.js';
import type { Context } from './context.js';
import { estimate, prepareSamples } from './estimate.js';
import { defineHandler } from './handler.js';
import { isRunId } from './validators.js';

/** What lies behind a stored run: its answers under every estimator, their scatter, and what would narrow it. */
export const explain = defineHandler({
  name: 'explain',
  input: t.isObject({ lane: t.isEnum(['operational', 'research'] as const), run_id: isRunId }),
  async run({ lane, run_id }, context): Promise<Explanation> {
    const { run, samples, readouts } =
      lane === 'operational' ? await fromChecks(run_id, context) : await fromResearch(run_id, context);
    const explanation = explainSamples(
      samples,
      { resamples: run.b, seed: run.bootstrap_seed },
      await largestSize(context),
      run.estimator === 'stein' ? { firstStage: storedFirstStage(run.sampler_json) } : undefined,
    );
    return { ...explanation, readouts: explainReadouts(readouts) };
  },
});

/** The same for samples that were taken elsewhere. */
export const explainEstimate = defineHandler({
  name: 'estimate',
  input: estimate.input,
  async run(input, context): Promise<Explanation> {
    const { ordered, resampling } = prepareSamples(input);
    return explainSamples(ordered, resampling, await largestSize(context));
  },
});

interface Measured {
  readonly run: RunRecord;
  readonly samples: EstimatorSample[];
  readonly readouts: Readout[];
}

/** A check from the cache rests on the answers of the run that computed it, and that one may rest on another's. */
async function fromChecks(runId: string, context: Context): Promise<Measured> {
  const { findCheck, readAttempts } = await import('../operational/checks.js');
  const database = await context.lanes.database();
  const run = await findCheck(database, runId);
  if (run === undefined) throw unknownRun(runId, `the checks of ${context.settings.environment}`);
  const { readReadouts } = await import('../operational/readouts.js');
  const maker = run.cached_from ?? runId;
  const sources = storedSources(run.sampler_json);
  const readAll = async <T>(read: (database: Database, runId: string) => Promise<T[]>, source?: string) =>
    (await Promise.all([maker, source ?? []].flat().map((one) => read(database, one)))).flat();
  return {
    run,
    samples: usableSamples(await readAll(readAttempts, sources.attempts)),
    readouts: run.n_readouts === null ? [] : await readAll(readReadouts, sources.readouts),
  };
}

async function fromResearch(runId: string, context: Context): Promise<Measured> {
  const store = await context.lanes.research();
  const run = store.findRun(runId);
  if (run === undefined) throw unknownRun(runId, 'the research store');
  return { run, samples: usableSamples(store.samplesOf(runId)), readouts: store.readouts.of(runId) };
}

function unknownRun(runId: string, where: string): HxError {
  return new HxError('not_found', `There is no run ${runId} in ${where}.`, {
    hint: 'Use the run_id of a check or a research run.',
  });
}

/** As many templates as the largest bank that ships with hx, and as many replicates as can be asked for. */
async function largestSize({ settings }: Context): Promise<AllocationLimits> {
  const banks = await Promise.all((await shippedBanks()).map((name) => loadBank(name, settings.folder)));
  return {
    maxTemplates: Math.max(...banks.map(({ templates }) => templates.length)),
    maxReplicates: SIZE.r.maximum,
  };
}
