import { readAnswer } from '../rpl/answer.js';
import { type ReadoutDecoding, type ReadoutFacts, readReadout } from '../rpl/readout.js';
import type { AttemptFacts, CallFacts } from '../rpl/sample.js';
import type { Reply } from './model.js';

/** How the replies to one kind of question are read. */
export interface Reading<Facts extends CallFacts> {
  read(reply: Reply): Facts;
  /** What is known of a call that brought no reply, and why it did not. */
  failed(problem: string): Facts;
}

const NO_REPLY = {
  status: 'failed',
  probTrue: null,
  answerText: null,
  modelResolved: null,
  systemFingerprint: null,
  tokensIn: null,
  tokensOut: null,
} as const;

/** Replies that state a probability. */
export const ANSWERS: Reading<AttemptFacts> = {
  read: (reply) => ({ ...servedBy(reply), ...readAnswer(reply.text, reply.finish) }),
  failed: (problem) => ({ ...NO_REPLY, problem }),
};

/** Replies of one word, for the probabilities of their tokens. */
export function readoutReading({ temperature }: ReadoutDecoding): Reading<ReadoutFacts> {
  return {
    read: (reply) => ({
      ...servedBy(reply),
      ...readReadout(reply.finish, reply.places ?? null),
      temperature,
    }),
    failed: (problem) => ({
      ...NO_REPLY,
      problem,
      massTrue: null,
      massFalse: null,
      tokens: null,
      temperature,
    }),
  };
}

function servedBy({ text, modelResolved, systemFingerprint, tokensIn, tokensOut }: Reply) {
  return { answerText: text, modelResolved, systemFingerprint, tokensIn, tokensOut };
}
