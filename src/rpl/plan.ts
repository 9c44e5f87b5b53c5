import { canonicalHash, canonicalJson, type JsonValue, sha256Hex } from '../base/canonical.js';
import type { Environment } from '../base/environments.js';
import type { Bank } from './bank.js';
import { DEFAULT_ESTIMATOR, DEFAULT_RESAMPLES, type Estimator, type IntervalMethod } from './estimator.js';
import { beginGrowth, type Growth, type Precision } from './growth.js';
import { seedFromHash } from './prng.js';
import type { ReadoutDecoding } from './readout.js';
import { readoutConfig } from './readout-plan.js';
import type { Decoding, ModelIdentity, PlannedSample } from './sample.js';
import { fillSlots, planSamples } from './sampler.js';

/** Defaults and bounds of a measurement's size. The bounds keep one check's cost within reason. */
export const SIZE = {
  k: { default: 16, minimum: 2, maximum: 64 },
  r: { default: 2, minimum: 1, maximum: 16 },
  t: { default: 16, minimum: 2, maximum: 64 },
  b: { default: DEFAULT_RESAMPLES, minimum: 100, maximum: 100_000 },
  /** Samples of a measurement to a wanted width: T x R at their bounds. */
  calls: { minimum: 2, maximum: 64 * 16 },
} as const;

/** The same for every provider, so that replicate spread can be compared between them. */
export const DEFAULT_DECODING: Decoding = { temperature: 0.7, maxOutputTokens: 1_024 };

/** What a caller may choose about a measurement. */
export interface MeasurementOptions {
  readonly k: number;
  readonly r: number;
  readonly t: number;
  readonly b: number;
  readonly estimator: Estimator;
  readonly decoding: Decoding;
  /** Bootstrap seed; by default it follows from the configuration. */
  readonly seed?: bigint | undefined;
  /** A wanted width, which then settles K and T; undefined for a measurement of a given size. */
  readonly precision?: Precision | undefined;
  /** How each template is asked for a readout as well; undefined for none. */
  readonly readout?: ReadoutDecoding | undefined;
  /** 0, or the number of an independent repetition that shares no stored answer with earlier ones. */
  readonly repeat: number;
}

export const DEFAULT_OPTIONS: MeasurementOptions = {
  k: SIZE.k.default,
  r: SIZE.r.default,
  t: SIZE.t.default,
  b: SIZE.b.default,
  estimator: DEFAULT_ESTIMATOR,
  decoding: DEFAULT_DECODING,
  repeat: 0,
};

/** Everything that is settled about a measurement before its first call. */
export interface MeasurementPlan {
  readonly environment: Environment;
  readonly claim: string;
  readonly claimHash: string;
  readonly identity: ModelIdentity;
  readonly bank: Bank;
  readonly options: MeasurementOptions;
  readonly method: IntervalMethod;
  /** How the plan grows to a wanted width; null for one of a given size. */
  readonly growth: Growth | null;
  /** Templates in the plan, min(K, T, bank size). */
  readonly templates: number;
  /** Template ids in slot order. */
  readonly slots: readonly string[];
  readonly samples: readonly PlannedSample[];
  readonly answerSchemaHash: string;
  /** Canonical JSON of everything that determines the computation. */
  readonly configJson: string;
  /** SHA-256 of configJson, hex. */
  readonly configHash: string;
  readonly bootstrapSeed: bigint;
}

export interface PlanInput {
  readonly environment: Environment;
  readonly claim: string;
  readonly identity: ModelIdentity;
  readonly bank: Bank;
  readonly answerSchema: JsonValue;
  readonly options: MeasurementOptions;
}

/**
 * Plans a measurement: which templates, which calls, under which identity. Pure and deterministic. For a
 * wanted width it is the first stage; `growPlan` adds the second. Both are one configuration: what the second
 * stage holds follows from the answers to the first.
 * @throws HxError `usage` when the calls allowed are too few for a first stage.
 */
export function planMeasurement(input: PlanInput): MeasurementPlan {
  const { environment, claim, identity, bank, options } = input;
  const { r, b, decoding, repeat } = options;
  const growth = options.precision === undefined ? null : beginGrowth(options.precision, bank, r);
  const estimator = growth === null ? options.estimator : 'stein';
  const size = growth === null ? options : { k: growth.firstTemplates, r, t: growth.firstTemplates };
  const slots = fillSlots(claim, identity.model, bank, size);
  const templates = new Set(slots).size;
  const answerSchemaHash = canonicalHash(input.answerSchema);
  const context = { environment, identity, decoding };
  const seedMaterial = {
    claim,
    model: identity.model,
    bank: bank.hash,
    k: size.k,
    r,
    t: templates,
    b,
    estimator,
  };
  const bootstrapSeed = options.seed ?? seedFromHash(canonicalHash(seedMaterial));
  const configJson = canonicalJson({
    ...seedMaterial,
    environment,
    provider: identity.provider,
    base_url: identity.baseUrl,
    simulated: identity.simulated,
    bank_version: `${bank.id}@${bank.version}`,
    answer_schema: answerSchemaHash,
    temperature: decoding.temperature,
    max_output_tokens: decoding.maxOutputTokens,
    bootstrap_seed: String(bootstrapSeed),
    precision: growth === null ? undefined : { width: growth.width, max_calls: growth.maxCalls },
    readout: options.readout === undefined ? undefined : readoutConfig(options.readout),
    repeat: repeat === 0 ? undefined : repeat,
  });
  return {
    environment,
    claim,
    claimHash: sha256Hex(claim),
    identity,
    bank,
    options,
    method: estimator,
    growth,
    templates,
    slots: slots.map(({ id }) => id),
    samples: planSamples(claim, bank, slots, r, answerSchemaHash, context, repeat),
    answerSchemaHash,
    configJson,
    configHash: sha256Hex(configJson),
    bootstrapSeed,
  };
}
