import type { Node } from 'libpg-query';
import { isRefusedInTransaction } from '../../statements.js';
import { find, pick, pickAll, words } from '../../tree.js';
import type { Rule } from '../rule.js';

export const transactionControl: Rule = {
  name: 'transaction-control',
  finds: 'BEGIN, COMMIT, ROLLBACK and their like',
  danger:
    'hx begins and ends the transactions of a migration; a file that did so too would leave half of itself behind when it fails.',
  safe: 'Take it out. Where each statement must commit by itself, choose -- hx: mode=steps.',
  isWaivable: false,
  *check({ ast, text }) {
    if ('TransactionStmt' in ast) yield { subject: (/^\w+/.exec(text)?.[0] ?? '').toUpperCase() };
    const inside = /\b(commit|rollback)\b(?=\s*(;|and\b))/i.exec(doBody(ast));
    if (inside !== null) yield { subject: `${inside[0].toUpperCase()} in a DO block` };
  },
};

export const refusedInTransaction: Rule = {
  name: 'refused-in-transaction',
  finds: 'CONCURRENTLY, VACUUM and what else cannot run in a transaction',
  danger: 'Postgres refuses it, so the migration always fails.',
  safe: 'Put it into a migration with -- hx: mode=steps, where every statement runs by itself.',
  isWaivable: false,
  *check({ ast, text }, { mode }) {
    if (mode === 'tx' && isRefusedInTransaction(ast))
      yield { subject: text.replace(/\s+/g, ' ').slice(0, 60) };
  },
};

export const sessionSetting: Rule = {
  name: 'session-setting',
  finds: 'a role or setting that outlives its transaction, and SET LOCAL where each statement is its own',
  danger:
    'It holds for the migrations after this one too, which then run with other rights or limits than planned.',
  safe: 'SET LOCAL, in mode=tx; for the lock timeout the header -- hx: lock_timeout=3s.',
  *check({ ast, text }, { mode }) {
    const set = pick(ast, 'VariableSetStmt');
    const isRole = set?.name === 'role' || set?.name === 'session_authorization';
    const outlives = set !== undefined && !set.is_local && set.name !== 'TRANSACTION';
    const isVoid = set?.is_local && mode === 'steps';
    if (isRole || outlives || isVoid || 'DiscardStmt' in ast) yield { subject: text };
    for (const { funcname, args, location } of find(ast, 'FuncCall')) {
      if (words(funcname).at(-1) !== 'set_config') continue;
      if (pick(args?.[2], 'A_Const')?.boolval?.boolval !== true)
        yield { subject: 'set_config', at: location };
    }
  },
};

export const hiddenInDoBlock: Rule = {
  name: 'hidden-in-do-block',
  finds: 'a DO block that changes schema or rows',
  danger: 'No rule looks into it, and what it does may differ from one environment to another.',
  safe: 'Write the statements out; a migration runs once on every database, so it needs no conditions.',
  *check({ ast }) {
    const word = /\b(alter|create|delete|drop|execute|grant|insert|lock|merge|reindex|truncate|update)\b/i;
    const found = word.exec(doBody(ast));
    if (found !== null) yield { subject: found[0].toUpperCase() };
  },
};

/** The body of a DO block without its texts and comments; empty for anything else. */
function doBody(ast: Node): string {
  const body = pickAll(pick(ast, 'DoStmt')?.args, 'DefElem').find(({ defname }) => defname === 'as');
  const text = pick(body?.arg, 'String')?.sval ?? '';
  return text.replace(/'(?:[^']|'')*'|--[^\n]*|\/\*.*?\*\//gs, ' ');
}
