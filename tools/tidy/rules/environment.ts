import { perFile, type Rule } from '../rule.ts';
import { dottedName, nodesOfType } from '../syntax.ts';

/** One reader of the environment means one list of settings. */
export const environment: Rule = {
  promise: 'only src/config and the process edge read the environment',
  check: perFile((file) => {
    if (!file.isProduct || file.path.startsWith('src/config/') || file.path === 'src/main.ts') return [];
    return nodesOfType(file.parsed.program, 'MemberExpression')
      .filter((node) => dottedName(node) === 'process.env')
      .map((node) => file.fault(node.start, 'read the environment in src/config'));
  }),
  planted: { 'src/ledger/a.ts': 'export const url = process.env.REDIS_URL;' },
};
