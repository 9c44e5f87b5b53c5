import { createHash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '../base/canonical.js';
import type { Settings } from '../base/config.js';
import { HxError } from '../base/errors.js';
import { sleep } from '../base/time.js';
import type { PlannedSample } from '../rpl/sample.js';
import { type Model, ModelCallError, type Reply } from './model.js';
import type { Provider } from './provider.js';
import { READOUT_TEMPERATURE, READOUT_TOKENS } from './readout-decoding.js';

/**
 * What a simulated model does. Its answer to a sample is, on the logit scale,
 * belief(claim) + tau * effect(claim, template) + sigma * effect(sample, ordinal), each effect standard normal.
 */
export interface Profile {
  readonly meaning: string;
  /** Standard deviation between templates, logit. */
  readonly tau: number;
  /** Standard deviation between replicates of a template, logit. */
  readonly sigma: number;
  /** Share of calls whose answer is a refusal. */
  readonly refusalRate: number;
  /** Share of calls whose answer cannot be used: no JSON, off schema, or with a link. */
  readonly malformedRate: number;
  /** Share of calls whose JSON stands in fences or prose. */
  readonly wrappedRate: number;
  /** Share of calls that fail as if the provider were overloaded. */
  readonly failureRate: number;
  /** Time of every call. */
  readonly latencyMs: number;
}

const CALM = {
  tau: 0.15,
  sigma: 0.15,
  refusalRate: 0,
  malformedRate: 0,
  wrappedRate: 0.05,
  failureRate: 0,
  latencyMs: 0,
};

export const PROFILES: Readonly<Record<string, Profile>> = {
  default: { ...CALM, meaning: 'A steady model that answers at once' },
  noisy: {
    ...CALM,
    tau: 1,
    sigma: 0.8,
    malformedRate: 0.05,
    meaning: 'Beliefs that depend much on wording and chance',
  },
  refusing: { ...CALM, refusalRate: 0.4, meaning: 'Refuses four in ten calls' },
  malformed: {
    ...CALM,
    malformedRate: 0.4,
    wrappedRate: 0.2,
    meaning: 'Breaks the format in four of ten calls',
  },
  slow: { ...CALM, latencyMs: 300, meaning: 'Takes 300 ms a call' },
  flaky: { ...CALM, failureRate: 0.15, meaning: 'Fails now and then, as an overloaded provider does' },
};

/** Standard deviation of beliefs between claims, logit: most lie between 2 % and 98 %. */
const CLAIM_SPREAD = 2;

/** Made-up answers of a known distribution: no network, no key, always marked as simulated. */
export const simulator: Provider = {
  name: 'simulator',
  meaning: 'Made-up answers of a known distribution; needs no network and no key',
  example: 'simulator/default',
  required: [],
  readout: { temperature: READOUT_TEMPERATURE, maxOutputTokens: READOUT_TOKENS, topLogprobs: 20 },
  async open(name: string, _settings: Settings): Promise<Model> {
    const profile = Object.hasOwn(PROFILES, name) ? PROFILES[name] : undefined;
    if (profile === undefined) {
      throw new HxError('usage', `The simulator has no profile "${name}".`, {
        hint: `Use one of ${Object.keys(PROFILES).join(', ')}.`,
      });
    }
    return makeSimulator(name, profile);
  },
};

/** A simulated model. The same sample and ordinal always get the same answer, in any order. */
export function makeSimulator(name: string, profile: Profile): Model {
  return {
    identity: { model: `simulator/${name}`, provider: 'simulator', baseUrl: null, simulated: true },
    async ask(sample, decoding, signal, ordinal) {
      signal.throwIfAborted();
      if (profile.latencyMs > 0) await sleep(profile.latencyMs, signal);
      const answer = decoding.topLogprobs === undefined ? reply : readoutReply;
      return answer(name, profile, sample, ordinal);
    },
  };
}

function reply(name: string, profile: Profile, sample: PlannedSample, ordinal: number): Reply {
  const { sampleKey, templateId, replicate } = sample;
  const draws = new Draws(['call', name, sampleKey, templateId, replicate, ordinal]);
  const fate = draws.uniform();
  const shape = draws.uniform();
  if (draws.uniform() < profile.failureRate) throw overloaded();
  const probTrue = toGrid(sigmoid(templateBelief(profile, sample) + profile.sigma * draws.normal()));
  const { refusalRate, malformedRate, wrappedRate } = profile;
  if (fate < refusalRate) return refuse(shape);
  if (fate < refusalRate + malformedRate) return answered(malform(probTrue, shape));
  const json = JSON.stringify(answerOf(probTrue, false));
  return answered(fate < refusalRate + malformedRate + wrappedRate ? wrap(json, shape) : json);
}

/**
 * One word with its token probabilities: the belief under the sample's template, without the noise of replicates,
 * less what leaks to other words. The profile's rates hold here too; its malformed replies are those that leak most.
 */
function readoutReply(name: string, profile: Profile, sample: PlannedSample, ordinal: number): Reply {
  const draws = new Draws(['readout', name, sample.sampleKey, ordinal]);
  const fate = draws.uniform();
  if (draws.uniform() < profile.failureRate) throw overloaded();
  if (fate < profile.refusalRate) return answered('I cannot help with assessing this claim.', 'refusal');
  const leaks = fate < profile.refusalRate + profile.malformedRate;
  const leaked = leaks ? 0.6 + 0.3 * draws.uniform() : 0.06 * draws.uniform();
  const massTrue = (1 - leaked) * sigmoid(templateBelief(profile, sample));
  const massFalse = 1 - leaked - massTrue;
  const top = [
    { token: 'True', logprob: Math.log(0.9 * massTrue) },
    { token: ' true', logprob: Math.log(0.1 * massTrue) },
    { token: 'False', logprob: Math.log(0.9 * massFalse) },
    { token: ' false', logprob: Math.log(0.1 * massFalse) },
    { token: 'It', logprob: Math.log(leaked) },
  ].sort((left, right) => right.logprob - left.logprob);
  const [chosen = { token: 'It', logprob: 0 }] = top;
  return { ...answered(chosen.token.trim()), places: [{ chosen, top }] };
}

function overloaded(): ModelCallError {
  return new ModelCallError('simulator answered 503: overloaded, as this profile now and then is.', {
    kind: 'retryable',
    status: 503,
  });
}

/**
 * The belief that the simulated model holds of a claim before any noise, as a logit. Known to tests; the same
 * in every profile, so that profiles can be compared claim by claim.
 */
export function latentBelief(claim: string): number {
  return CLAIM_SPREAD * new Draws(['claim', claim]).normal();
}

function templateBelief(profile: Profile, { claim, templateId }: PlannedSample): number {
  return latentBelief(claim) + profile.tau * new Draws(['template', claim, templateId]).normal();
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Models answer in steps of 5 %, and of 1 % near the ends. */
function toGrid(probability: number): number {
  const steps = probability >= 0.1 && probability <= 0.9 ? 20 : 100;
  return Math.min(99, Math.max(1, Math.round((Math.round(probability * steps) / steps) * 100))) / 100;
}

function answerOf(probTrue: number, refused: boolean) {
  return {
    belief: { prob_true: probTrue, label: labelOf(probTrue) },
    reasons: ['Simulated answer: drawn from a known distribution.'],
    assumptions: [],
    uncertainties: ['No model was asked.'],
    flags: { refused, off_topic: false },
  };
}

function labelOf(probTrue: number): string {
  if (probTrue < 0.2) return 'very_unlikely';
  if (probTrue < 0.4) return 'unlikely';
  if (probTrue <= 0.6) return 'uncertain';
  return probTrue <= 0.8 ? 'likely' : 'very_likely';
}

function answered(text: string, finish: Reply['finish'] = 'stop'): Reply {
  return {
    text,
    finish,
    modelResolved: 'simulator',
    systemFingerprint: null,
    tokensIn: null,
    tokensOut: null,
  };
}

function refuse(shape: number): Reply {
  if (shape < 0.34) return answered('I cannot help with assessing this claim.', 'refusal');
  if (shape < 0.67) return answered(JSON.stringify(answerOf(0.5, true)));
  return answered('I am unable to provide an assessment of this claim.');
}

function malform(probTrue: number, shape: number): string {
  const json = JSON.stringify(answerOf(probTrue, false));
  if (shape < 0.25) return `It is hard to say, perhaps ${Math.round(probTrue * 100)} percent.`;
  if (shape < 0.5) return json.replace(/"prob_true":[^,]+/, '"prob_true":"high"');
  if (shape < 0.75) return json.slice(0, Math.floor(json.length / 2));
  return json.replace('No model was asked.', 'See https://example.com/source for more.');
}

function wrap(json: string, shape: number): string {
  return shape < 0.5 ? `\`\`\`json\n${json}\n\`\`\`` : `Here is my assessment.\n\n${json}\n\nThat is all.`;
}

/** Random numbers that depend on their label alone: the bytes of SHA-256 over the label and a counter. */
class Draws {
  private readonly label: string;
  private block = 0;
  private bytes = Buffer.alloc(0);
  private offset = 0;

  constructor(label: JsonValue) {
    this.label = canonicalJson(label);
  }

  /** In [0, 1), 32 bits. */
  uniform(): number {
    if (this.offset === this.bytes.length) {
      this.bytes = createHash('sha256').update(`${this.block}:${this.label}`).digest();
      this.block += 1;
      this.offset = 0;
    }
    const value = this.bytes.readUInt32BE(this.offset);
    this.offset += 4;
    return value / 2 ** 32;
  }

  /** Standard normal, by the polar form of Box and Muller (1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}
