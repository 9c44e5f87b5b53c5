export type StabilityBand = 'high' | 'medium' | 'low';

/** Template IQR in logits at which the stability score is one half. */
export const STABILITY_MIDPOINT_LOGIT = 0.2;
/** How steeply the stability score falls with the template IQR. */
export const STABILITY_EXPONENT = 1.7;

const HIGH_UP_TO_LOGIT = 0.05;
const MEDIUM_UP_TO_LOGIT = 0.3;

/** 1 / (1 + (IQR / 0.2)^1.7): 1 when every template agrees, towards 0 as they scatter. */
export function stabilityScore(templateIqrLogit: number): number {
  return 1 / (1 + (templateIqrLogit / STABILITY_MIDPOINT_LOGIT) ** STABILITY_EXPONENT);
}

/** Band of the template IQR: high up to 0.05 logits, medium up to 0.30, else low. */
export function stabilityBand(templateIqrLogit: number): StabilityBand {
  if (templateIqrLogit <= HIGH_UP_TO_LOGIT) return 'high';
  return templateIqrLogit <= MEDIUM_UP_TO_LOGIT ? 'medium' : 'low';
}
