export type Verdict = 'likely_true' | 'likely_false' | 'uncertain';

export const LIKELY_TRUE_FROM = 0.6;
export const LIKELY_FALSE_UP_TO = 0.4;

/** Gates that a measurement should pass before anyone leans on it. */
export const GATES = {
  complianceAtLeast: 0.98,
  stabilityAtLeast: 0.25,
  ciWidthAtMost: 0.3,
} as const;

/** Interval width from which the prompt quality score gives no more credit. */
const PQS_WIDTH_CAP = 0.5;

export function verdictOf(probability: number): Verdict {
  if (probability >= LIKELY_TRUE_FROM) return 'likely_true';
  return probability <= LIKELY_FALSE_UP_TO ? 'likely_false' : 'uncertain';
}

export interface Quality {
  readonly gate_compliance: boolean;
  readonly gate_stability: boolean;
  readonly gate_width: boolean;
  /** Prompt quality score, version 1, 0 to 100. */
  readonly pqs: number;
}

/** Gates and prompt quality score of a measurement. All three arguments are in [0, 1]. */
export function qualityOf(complianceRate: number, stabilityScore: number, ciWidth: number): Quality {
  const narrowness = 1 - Math.min(ciWidth, PQS_WIDTH_CAP) / PQS_WIDTH_CAP;
  return {
    gate_compliance: complianceRate >= GATES.complianceAtLeast,
    gate_stability: stabilityScore >= GATES.stabilityAtLeast,
    gate_width: ciWidth <= GATES.ciWidthAtMost,
    pqs: Math.floor(100 * (0.4 * stabilityScore + 0.4 * narrowness + 0.2 * complianceRate)),
  };
}
