/**
 * At 1 the probabilities of tokens are the model's own, whether an endpoint reports them from before or after it
 * divides by the temperature.
 */
export const READOUT_TEMPERATURE = 1;

/** Room for one word, where some tokenizers begin with white space or a quote of its own. */
export const READOUT_TOKENS = 4;
