import type { Node } from 'libpg-query';
import { find, pick, pickAll, shortName, tableName, words } from '../../tree.js';
import type { Rule } from '../rule.js';

export const missingGuard: Rule = {
  name: 'missing-guard',
  finds: 'a new table without the guard of its environment',
  danger: 'A session of another environment could write to it, which every other table refuses.',
  safe: "select hx.guard_table('NAME'); in the same migration.",
  *check({ ast }, { statements }) {
    const create = pick(ast, 'CreateStmt')?.relation ?? madeByQuery(ast);
    if (create === undefined || create.relpersistence === 't') return;
    const name = tableName(create);
    if (name.includes('.') || statements.some(({ ast: other }) => guards(other, name))) return;
    yield { subject: name };
  },
};

export const weakenGuard: Rule = {
  name: 'weaken-guard',
  finds: 'a trigger of hx that is switched off, weakened or dropped',
  danger: 'The database no longer refuses writes of another environment, or changes to rows that must stay.',
  safe: 'Leave the triggers and functions of hx alone; data is repaired by new rows.',
  *check({ ast }) {
    const alter = pick(ast, 'AlterTableStmt');
    for (const { subtype = '', name } of pickAll(alter?.cmds, 'AlterTableCmd')) {
      const isAny = subtype === 'AT_DisableTrigAll' || subtype === 'AT_DisableTrigUser';
      const isOne =
        /^AT_(DisableTrig|EnableTrig|EnableReplicaTrig)$/.test(subtype) && name?.startsWith('hx_');
      if ((isAny || isOne) && alter?.relation)
        yield { subject: `${name ?? 'triggers'} of ${tableName(alter.relation)}` };
    }
    const drop = pick(ast, 'DropStmt');
    for (const object of drop?.objects ?? []) {
      const path = words(pick(object, 'List')?.items ?? pick(object, 'ObjectWithArgs')?.objname);
      const isTrigger = drop?.removeType === 'OBJECT_TRIGGER' && path.at(-1)?.startsWith('hx_');
      const isFunction = drop?.removeType === 'OBJECT_FUNCTION' && path[0] === 'hx';
      if (isTrigger || isFunction) yield { subject: path.join('.') };
    }
  },
};

export const grantToPublic: Rule = {
  name: 'grant-to-public',
  finds: 'GRANT ... TO PUBLIC',
  danger: 'Every role of the cluster gets it, those made later included.',
  safe: 'Grant it to the roles that need it, by name.',
  *check({ ast }) {
    const grant = pick(ast, 'GrantStmt') ?? pick(ast, 'AlterDefaultPrivilegesStmt')?.action;
    if (!grant?.is_grant) return;
    const everybody = pickAll(grant.grantees, 'RoleSpec').find(
      ({ roletype }) => roletype === 'ROLESPEC_PUBLIC',
    );
    if (everybody !== undefined) yield { subject: 'PUBLIC', at: everybody.location };
  },
};

export const createExtension: Rule = {
  name: 'create-extension',
  finds: 'CREATE EXTENSION',
  danger:
    'It needs rights that the migrating role may lack, and each environment may have another version or none.',
  safe: 'See that every environment offers it (select * from pg_available_extensions), then waive it with that reason.',
  *check({ ast }) {
    const extension = pick(ast, 'CreateExtensionStmt');
    if (extension !== undefined) yield { subject: extension.extname ?? '' };
  },
};

function madeByQuery(ast: Node) {
  const createAs = pick(ast, 'CreateTableAsStmt');
  if (createAs?.objtype === 'OBJECT_TABLE') return createAs.into?.rel;
  return pick(ast, 'SelectStmt')?.intoClause?.rel;
}

/** Whether a statement calls hx.guard_table for a table. */
function guards(ast: Node, table: string): boolean {
  return find(ast, 'FuncCall').some(({ funcname, args }) => {
    if (words(funcname).join('.') !== 'hx.guard_table') return false;
    const [name] = find(args?.slice(0, 1), 'A_Const');
    return name?.sval?.sval !== undefined && shortName(name.sval.sval.split('.')) === table;
  });
}
