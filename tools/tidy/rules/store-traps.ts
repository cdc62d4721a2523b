import { perFile, type Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { child, dottedName, field, isNode, nodesOfType, type SyntaxNode } from '../syntax.ts';

/** What once lost data or let text from outside become code. */
export const storeTraps: Rule = {
  promise:
    'streams are never trimmed by length, SQL is never put together from values, types are never forced',
  check: perFile((file) => [
    ...trimmedByLength(file),
    ...(file.isProduct ? [...unsafeSql(file), ...forcedTypes(file)] : []),
  ]),
  planted: {
    'src/ledger/scripts/a.lua': `redis.call('XADD', KEYS[1], 'MAXLEN', '~', 1000, '*', 'e', ARGV[1])`,
    'src/database/b.ts': `export const read = (sql: Sql, name: string) => sql.unsafe(\`select \${name}\`);`,
    'src/database/c.ts': 'export const read = (value: string) => value as unknown as number;',
  },
};

/** A length says nothing about what the archive has read: trimming by it drops acknowledged claims. */
function trimmedByLength(file: SourceFile): string[] {
  const isCode = file.path.endsWith('.lua') || file.isProduct;
  if (!isCode) return [];
  return [...file.text.matchAll(/\bMAXLEN\b/g)].map(({ index }) =>
    file.fault(index, 'trim by MINID, below the cursor'),
  );
}

function unsafeSql(file: SourceFile): string[] {
  return nodesOfType(file.parsed.program, 'CallExpression')
    .filter(
      (call) => dottedName(child(call, 'callee')).endsWith('.unsafe') && !isConstant(firstArgument(call)),
    )
    .map((call) => file.fault(call.start, 'use the tagged template: unsafe takes nothing but a constant'));
}

function firstArgument(call: SyntaxNode): SyntaxNode | undefined {
  const parameters = field(call, 'arguments');
  return Array.isArray(parameters) ? parameters.find(isNode) : undefined;
}

function isConstant(node: SyntaxNode | undefined): boolean {
  return node?.type === 'Literal' || /^[A-Z][A-Z0-9_]*$/.test(dottedName(node));
}

function forcedTypes(file: SourceFile): string[] {
  return nodesOfType(file.parsed.program, 'TSAsExpression')
    .filter((node) => child(node, 'expression')?.type === 'TSAsExpression')
    .map((node) => file.fault(node.start, 'a cast by way of unknown hides a wrong type'));
}
