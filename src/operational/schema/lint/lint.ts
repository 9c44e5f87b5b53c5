import type { Migration } from '../files.js';
import type { Waiver } from '../header.js';
import { lineOf, parseStatements, type Statement } from '../statements.js';
import type { RuleName } from './names.js';
import { describeFile, type Hit } from './rule.js';
import { RULES } from './rules/index.js';

/** One thing in a migration that should not meet a database in use. */
export interface Finding {
  readonly rule: RuleName | 'unused-waiver';
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The table, column or words at fault. */
  readonly subject: string;
  /** What happens: which lock, for how long, or what breaks. */
  readonly danger: string;
  readonly safe: string;
  readonly isWaivable: boolean;
}

/**
 * Finds what is unsafe in a migration and not waived, and waivers that waive nothing. Needs no database.
 * @throws HxError `conflict` for a syntax error.
 */
export async function lintMigration(
  migration: Pick<Migration, 'name' | 'sql' | 'mode' | 'waivers'>,
): Promise<Finding[]> {
  const { name, sql, mode, waivers } = migration;
  const statements = await parseStatements(name, sql);
  const file = describeFile(mode, statements);
  const found: Finding[] = statements.flatMap((statement) =>
    Object.values(RULES).flatMap((rule) =>
      [...rule.check(statement, file)].map((hit) => ({
        rule: rule.name,
        file: name,
        line: lineOfHit(hit, statement, sql),
        subject: hit.subject,
        danger: rule.danger,
        safe: rule.safe,
        isWaivable: rule.isWaivable ?? true,
      })),
    ),
  );
  const waived = new Set<string>(waivers.map(({ rule }) => rule));
  const isWaived = ({ rule, isWaivable }: Finding) => isWaivable && waived.has(rule);
  const used = new Set<string>(found.filter(isWaived).map(({ rule }) => rule));
  const unused = waivers.filter(({ rule }) => !used.has(rule)).map((waiver) => unusedWaiver(name, waiver));
  return [...found.filter((finding) => !isWaived(finding)), ...unused].sort((a, b) => a.line - b.line);
}

function lineOfHit({ at }: Hit, { line }: Statement, sql: string): number {
  return at === undefined ? line : lineOf(Buffer.from(sql).toString('utf8', 0, at), at);
}

function unusedWaiver(file: string, { rule, line }: Waiver): Finding {
  const isNever = RULES[rule].isWaivable === false;
  return {
    rule: 'unused-waiver',
    file,
    line,
    subject: rule,
    danger: isNever
      ? 'This rule cannot be waived: what it finds is never right in a migration.'
      : 'Nothing in the file breaks this rule; a waiver that stays would hide what is written later.',
    safe: 'Take the line out.',
    isWaivable: false,
  };
}
