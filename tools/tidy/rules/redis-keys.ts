import { perFile, type Rule } from '../rule.ts';
import { field, nodesOfType } from '../syntax.ts';

/** A key is its hash tag and more: `{p0}…`, written out or put together. */
const KEY_TEXT = /^[`'"]\{(p\w{1,2}|\$\{[^}]*\})\}[^`'"]/;

/** What a key is called is known in one place, so that partitions can be laid out anew. */
export const redisKeys: Rule = {
  promise: 'only src/ledger/keys.ts spells a Redis key',
  check: perFile((file) => {
    if (!file.isProduct || file.path === 'src/ledger/keys.ts') return [];
    return nodesOfType(file.parsed.program, 'Literal', 'TemplateLiteral')
      .filter(
        (node) => KEY_TEXT.test(file.text.slice(node.start, node.end)) && field(node, 'regex') === undefined,
      )
      .map((node) => file.fault(node.start, 'take the key from src/ledger/keys.ts'));
  }),
  planted: {
    'src/archive/a.ts': `export const stream = '{p0}stream';`,
    'src/archive/b.ts': `export const wallet = (tag: string, user: string) => \`{\${tag}}w:\${user}\`;`,
  },
};
