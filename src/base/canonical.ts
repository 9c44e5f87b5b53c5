import { createHash } from 'node:crypto';
import { HxError } from './errors.js';

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/**
 * Canonical JSON (RFC 8785): keys in UTF-16 code unit order, ECMAScript numbers, no white space.
 * Members whose value is `undefined` are left out.
 * @throws HxError `bug` for a number that JSON cannot carry or a string with a lone surrogate.
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new HxError('bug', `Canonical JSON cannot hold the number ${value}.`);
    return JSON.stringify(value);
  }
  if (typeof value === 'string') return canonicalString(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members: string[] = [];
  const object = value as { readonly [key: string]: JsonValue | undefined };
  for (const key of Object.keys(object).sort()) {
    const member = object[key];
    if (member !== undefined) members.push(`${canonicalString(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}

function canonicalString(text: string): string {
  if (!text.isWellFormed()) {
    throw new HxError('bug', 'Canonical JSON cannot hold a string with a lone surrogate.');
  }
  return JSON.stringify(text);
}

/** SHA-256 of a string's UTF-8 bytes, as 64 lower-case hex digits. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** SHA-256 of a value's canonical JSON, as 64 lower-case hex digits: the identity of a configuration. */
export function canonicalHash(value: JsonValue): string {
  return sha256Hex(canonicalJson(value));
}
