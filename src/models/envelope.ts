/** What a provider's response says that the SDK does not hand over, or replaces by a guess of its own. */
export interface Envelope {
  /** The model as the provider named it; null when it named none. */
  readonly model: string | null;
  /** The provider's fingerprint of its serving; OpenAI's chat format and xAI give one. */
  readonly fingerprint: string | null;
  /** The refusal that OpenAI's formats carry beside the content. */
  readonly refusal: string | null;
}

/** Reads the JSON body of any provider's answer. Never throws: what is not there is null. */
export function readEnvelope(body: unknown): Envelope {
  return {
    model: textIn(body, 'model') ?? textIn(body, 'modelVersion'),
    fingerprint: textIn(body, 'system_fingerprint'),
    refusal: textIn(fieldOf(firstOf(fieldOf(body, 'choices')), 'message'), 'refusal') ?? outputRefusal(body),
  };
}

/** In OpenAI's Responses a refusal is a part of a message's content. */
function outputRefusal(body: unknown): string | null {
  const parts = listIn(body, 'output').flatMap((item) => listIn(item, 'content'));
  const refusal = parts.find((part) => fieldOf(part, 'type') === 'refusal');
  return textIn(refusal, 'refusal');
}

export function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Record<string, unknown>)[name];
}

export function textIn(value: unknown, name: string): string | null {
  const field = fieldOf(value, name);
  return typeof field === 'string' && field !== '' ? field : null;
}

export function listIn(value: unknown, name: string): readonly unknown[] {
  const field = fieldOf(value, name);
  return Array.isArray(field) ? field : [];
}

function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}
