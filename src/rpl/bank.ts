import { applyCascade, as, hasMinLength, isArray, isObject, isString, matchesRegExp } from 'typanion';
import { canonicalHash } from '../base/canonical.js';
import { HxError } from '../base/errors.js';
import { fieldProblems } from '../base/field-problems.js';

/** Where a template takes the claim. */
export const CLAIM_PLACE = '{CLAIM}';

/** A wording of the question. */
export interface Template {
  readonly id: string;
  readonly family: string;
  readonly text: string;
}

/** A set of wordings under one id and version; its identity is the hash of its content. */
export interface Bank {
  readonly id: string;
  readonly version: string;
  /** Name of the answer schema that the system text asks for. */
  readonly answer: string;
  readonly system: string;
  readonly templates: readonly Template[];
  /** SHA-256 of the canonical content, hex. */
  readonly hash: string;
}

const isIdentifier = applyCascade(isString(), [matchesRegExp(/^[a-z0-9][a-z0-9._-]*$/)]);
const isText = applyCascade(isString(), [matchesRegExp(/\S/)]);

const isBankContent = isObject({
  id: isIdentifier,
  version: isIdentifier,
  answer: isIdentifier,
  system: isText,
  templates: applyCascade(isArray(isObject({ id: isIdentifier, family: isIdentifier, text: isText })), [
    hasMinLength(1),
  ]),
});

/**
 * Checks a parsed bank file and gives it its identity.
 * @param source names the file in errors.
 * @throws HxError `usage` that names every field at fault.
 */
export function makeBank(content: unknown, source: string): Bank {
  const checked = as(content, isBankContent, { errors: true });
  if (checked.errors !== undefined) {
    throw malformedBank(source, fieldProblems(checked.errors));
  }
  const problems = findTemplateProblems(checked.value.templates);
  if (problems.length > 0) throw malformedBank(source, problems);
  return { ...checked.value, hash: canonicalHash(checked.value) };
}

function malformedBank(source: string, problems: readonly string[]): HxError {
  return new HxError('usage', `The prompt bank ${source} is malformed: ${problems.join('; ')}`, {
    hint: `A bank has id, version, answer, system and templates (id, family, text with ${CLAIM_PLACE} once).`,
    facts: { problems },
  });
}

function findTemplateProblems(templates: readonly Template[]): string[] {
  const problems: string[] = [];
  const ids = new Set<string>();
  const texts = new Map<string, string>();
  for (const { id, text } of templates) {
    if (ids.has(id)) problems.push(`two templates have the id ${id}`);
    ids.add(id);
    if (text.split(CLAIM_PLACE).length !== 2)
      problems.push(`template ${id} must contain ${CLAIM_PLACE} once`);
    const wording = text.toLowerCase().replace(/\s+/g, ' ').trim();
    const twin = texts.get(wording);
    if (twin !== undefined) problems.push(`templates ${twin} and ${id} have the same text`);
    texts.set(wording, id);
  }
  return problems;
}

/** The user message of a template for a claim. The claim goes in as it is, whatever characters it holds. */
export function renderTemplate(template: Template, claim: string): string {
  return template.text.split(CLAIM_PLACE).join(claim);
}
