import type {
  FinishReason,
  generateText,
  LanguageModelMiddleware,
  Output,
  Warning,
  wrapLanguageModel,
} from 'ai';
import { HxError } from '../base/errors.js';
import { ANSWER_SCHEMA, type Finish } from '../rpl/answer.js';
import type { Decoding, ModelIdentity, PlannedSample } from '../rpl/sample.js';
import { readEnvelope } from './envelope.js';
import { type Endpoint, httpFailure, noAnswerInside, redact, transportFailure } from './failure.js';
import { readLogprobs } from './logprobs.js';
import { type Model, ModelCallError, type Reply } from './model.js';
import { noTemperature } from './model-fetch.js';
import { isRefusal, providerMessage } from './provider-message.js';

type SharedOptions = NonNullable<Parameters<typeof generateText>[0]['providerOptions']>;

export interface LiveModelOptions {
  readonly identity: ModelIdentity;
  readonly endpoint: Endpoint;
  /** The AI SDK's model of the provider. */
  readonly languageModel: Parameters<typeof wrapLanguageModel>[0]['model'];
  /** Settings that only this provider knows, keyed by provider. */
  readonly providerOptions?: SharedOptions;
  /** The provider's own settings that ask for so many of the likeliest tokens, where it gives any. */
  readonly logprobOptions?: (topLogprobs: number) => SharedOptions[string];
}

/**
 * A model behind the AI SDK. The SDK makes exactly one HTTP request a call: its retries are off, it prints no
 * warnings, and the answer's text comes back as it was sent, for `readAnswer` to judge.
 */
export async function makeLiveModel(options: LiveModelOptions): Promise<Model> {
  const ai = await import('ai');
  const { identity, endpoint } = options;
  const model = ai.wrapLanguageModel({
    model: options.languageModel,
    middleware: dropWarnings(endpoint),
  });
  const ask = async (sample: PlannedSample, decoding: Decoding, signal: AbortSignal): Promise<Reply> => {
    try {
      const result = await ai.generateText({
        model,
        system: sample.system,
        prompt: sample.user,
        temperature: decoding.temperature,
        maxOutputTokens: decoding.maxOutputTokens,
        maxRetries: 0,
        abortSignal: signal,
        providerOptions: providerOptionsFor(options, decoding),
        ...(decoding.topLogprobs === undefined ? { output: RAW_ANSWER } : {}),
      });
      const { model: modelResolved, fingerprint, refusal } = readEnvelope(result.response.body);
      // No prompt has zero tokens: the SDK writes 0 where a provider reported nothing.
      const isReported = (result.usage.inputTokens ?? 0) > 0;
      return {
        text: refusal ?? result.text,
        finish: refusal === null ? finishOf(result.finishReason) : 'refusal',
        modelResolved,
        systemFingerprint: fingerprint,
        tokensIn: isReported ? (result.usage.inputTokens ?? null) : null,
        tokensOut: isReported ? (result.usage.outputTokens ?? null) : null,
        ...(decoding.topLogprobs === undefined ? {} : { places: readLogprobs(result.response.body) }),
      };
    } catch (thrown) {
      signal.throwIfAborted();
      const declined = declinedBy(thrown, decoding, ai.APICallError.isInstance);
      if (declined !== null) return declined;
      throw translate(thrown, endpoint, ai.APICallError.isInstance);
    }
  };
  return { identity, ask };
}

function providerOptionsFor(options: LiveModelOptions, { topLogprobs }: Decoding): SharedOptions {
  const { identity, providerOptions = {}, logprobOptions } = options;
  if (topLogprobs === undefined) return providerOptions;
  if (logprobOptions === undefined) {
    throw new HxError(
      'bug',
      `${identity.provider} was asked for token probabilities, which it does not give.`,
    );
  }
  const own = providerOptions[identity.provider];
  return { ...providerOptions, [identity.provider]: { ...own, ...logprobOptions(topLogprobs) } };
}

/** Asks for JSON of our schema, and hands the text over unparsed. */
const RAW_ANSWER: Output.Output<string, string, never> = {
  name: 'raw-answer',
  // The SDK's type takes mutable arrays only; it does not change the schema.
  responseFormat: Promise.resolve({
    type: 'json',
    name: 'answer',
    schema: structuredClone(ANSWER_SCHEMA) as never,
  }),
  parseCompleteOutput: async ({ text }) => text,
  parsePartialOutput: async ({ text }) => ({ partial: text }),
  createElementStreamTransform: () => undefined,
};

/**
 * Takes warnings out before the SDK prints them on the console. One matters: a provider that leaves out a
 * decoding parameter would make its samples incomparable, so that call fails instead.
 */
function dropWarnings(endpoint: Endpoint): LanguageModelMiddleware {
  return {
    specificationVersion: 'v3',
    wrapGenerate: async ({ doGenerate }) => {
      const result = await doGenerate();
      const dropped = result.warnings.find(dropsDecoding);
      if (dropped !== undefined) throw noTemperature(endpoint.provider, dropped.feature);
      return { ...result, warnings: [] };
    },
  };
}

function dropsDecoding(warning: Warning): warning is Warning & { feature: string } {
  return (
    warning.type === 'unsupported' &&
    (warning.feature === 'temperature' || warning.feature === 'maxOutputTokens')
  );
}

function finishOf(reason: FinishReason): Finish {
  if (reason === 'stop' || reason === 'length') return reason;
  return reason === 'content-filter' ? 'refusal' : 'other';
}

type IsApiError = (error: unknown) => error is import('ai').APICallError;

/**
 * An answer that came as an error: some providers refuse a prompt in that way, and models without token
 * probabilities a request for them. Such a request is not charged.
 */
function declinedBy(thrown: unknown, { topLogprobs }: Decoding, isApiError: IsApiError): Reply | null {
  if (!isApiError(thrown) || thrown.statusCode === undefined) return null;
  const said = providerMessage(bodyText(thrown.responseBody));
  const text = redact(said.message, undefined);
  const reply = { text, modelResolved: null, systemFingerprint: null };
  if (isRefusal(thrown.statusCode, said)) {
    return { ...reply, finish: 'refusal', tokensIn: null, tokensOut: null };
  }
  if (topLogprobs === undefined || !NOT_UNDERSTOOD.has(thrown.statusCode)) return null;
  const isAboutLogprobs = /log[_ -]?prob/i.test(`${said.param} ${said.message}`);
  return isAboutLogprobs ? { ...reply, finish: 'other', tokensIn: 0, tokensOut: 0 } : null;
}

/** Statuses of a request whose parameters do not suit the model. */
const NOT_UNDERSTOOD: ReadonlySet<number> = new Set([400, 422]);

function translate(thrown: unknown, endpoint: Endpoint, isApiError: IsApiError): ModelCallError {
  if (thrown instanceof ModelCallError) return thrown;
  if (thrown instanceof Error && thrown.cause instanceof ModelCallError) return thrown.cause;
  if (!isApiError(thrown) || thrown.statusCode === undefined) return transportFailure(endpoint, thrown);
  const { statusCode, responseHeaders: headers = {}, responseBody } = thrown;
  const failure = { headers, body: bodyText(responseBody), cause: thrown };
  if (isInside(responseBody)) return noAnswerInside(endpoint, { ...failure, status: 200 });
  const isSuccess = statusCode >= 200 && statusCode < 300;
  return (isSuccess ? noAnswerInside : httpFailure)(endpoint, { ...failure, status: statusCode });
}

/** Of an error that came inside a 200 the SDK says 400, and passes the body on as an object, though typed as text. */
function isInside(body: unknown): body is object {
  return typeof body === 'object' && body !== null;
}

function bodyText(body: unknown): string | undefined {
  return isInside(body) ? JSON.stringify(body) : (body as string | undefined);
}
