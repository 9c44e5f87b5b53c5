import { splitSql } from '../sql/lexer.js';

/** Whether what was entered so far can be carried out, or goes on in the next line. */
export function isComplete(text: string): boolean {
  const trimmed = text.trim();
  if (trimmed === '' || /^[.@]/.test(trimmed) || isExit(trimmed)) return true;
  const { complete, rest } = splitSql(text);
  return complete.length > 0 && rest === '';
}

/** Whether the words that leave other shells were entered. */
export function isExit(text: string): boolean {
  return /^(exit|quit)\s*;?$/i.test(text.trim());
}
