import type { Attempt } from './sample.js';

/**
 * Watches who answers within one run. A provider may move a name to another model, or change how it serves it, at
 * any time; answers from before and after are then not of one kind. The run's row names every model that answered,
 * each attempt its model and fingerprint.
 */
export class ServingWatch {
  private readonly models = new Set<string>();
  private readonly fingerprints = new Set<string>();

  /** Takes note of an attempt; a sentence for the user when it was answered by another model or serving. */
  see({ modelResolved, systemFingerprint }: Attempt): string | null {
    if (isAnother(this.models, modelResolved)) {
      return `The model changed within this run: ${[...this.models].join(', then ')}.`;
    }
    // Where a provider serves from many places at once its fingerprints alternate: one word about it is enough.
    if (isAnother(this.fingerprints, systemFingerprint) && this.fingerprints.size === 2) {
      return `The provider changed its serving of the model within this run (fingerprints ${[...this.fingerprints].join(', ')}).`;
    }
    return null;
  }
}

/** Adds a name, and says whether it is new beside others. */
function isAnother(names: Set<string>, name: string | null): boolean {
  if (name === null || names.has(name)) return false;
  names.add(name);
  return names.size > 1;
}

/** The names of the models that answered a run, from its column `model_resolved`. */
export function resolvedModels(modelResolved: string | null): string[] {
  return modelResolved === null ? [] : modelResolved.split(', ');
}
