import { perFile, type Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { child, descendants, dottedName, field, isNode, nodesOfType, type SyntaxNode } from '../syntax.ts';

/** The names a test is declared with; `it.each(…)(…)` and `test.runIf(…)(…)` count too. */
const TEST_NAMES = /^(it|test)\b/;

/** A test that cannot fail, or does not run, proves nothing. */
export const honestTests: Rule = {
  promise: 'every test asserts something and none is skipped for good or run alone',
  check: perFile((file) => (file.isTest ? [...withoutExpectation(file), ...switchedOff(file)] : [])),
  planted: {
    'src/ledger/a.test.ts': `it('works', () => { work(); });`,
    'src/ledger/b.test.ts': `it.only('works', () => { expect(1).toBe(1); });`,
    'src/ledger/c.test.ts': `function run() { work(); }\ntest.each([1])('works', async () => { await run(); });`,
  },
};

function withoutExpectation(file: SourceFile): string[] {
  const asserting = assertingFunctions(file.parsed.program);
  return testCalls(file.parsed.program)
    .filter((call) => !asserts(call, asserting))
    .map((call) => file.fault(call.start, 'a test without an expectation cannot fail'));
}

function switchedOff(file: SourceFile): string[] {
  return nodesOfType(file.parsed.program, 'MemberExpression')
    .filter((node) => /^(it|test|describe)\.(only|skip|todo)$/.test(dottedName(node)))
    .map((node) => file.fault(node.start, 'run every test'));
}

/** Calls that declare a test: the outermost call of a chain that starts with `it` or `test` and is given a function. */
function testCalls(program: SyntaxNode): SyntaxNode[] {
  return nodesOfType(program, 'CallExpression').filter((call) => {
    const parameters = field(call, 'arguments');
    const body = Array.isArray(parameters) ? parameters.filter(isNode).find(isFunction) : undefined;
    return body !== undefined && TEST_NAMES.test(rootName(child(call, 'callee')));
  });
}

function isFunction(node: SyntaxNode): boolean {
  return node.type === 'ArrowFunctionExpression' || node.type === 'FunctionExpression';
}

function rootName(node: SyntaxNode | undefined): string {
  if (node === undefined) return '';
  return dottedName(node) || rootName(child(node, 'callee') ?? child(node, 'object') ?? child(node, 'tag'));
}

/** Names of the file's own functions that lead to an expectation, found by widening until nothing is added. */
function assertingFunctions(program: SyntaxNode): ReadonlySet<string> {
  const functions = nodesOfType(program, 'FunctionDeclaration', 'VariableDeclarator');
  const found = new Set<string>();
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const declared of functions) {
      if (asserts(declared, found)) found.add(String(field(child(declared, 'id'), 'name')));
    }
  }
  return found;
}

/** Whether something below this node is an expectation, or a call of what leads to one. */
function asserts(node: SyntaxNode, known: ReadonlySet<string>): boolean {
  return descendants(node).some((below) => {
    const name = below.type === 'Identifier' ? String(field(below, 'name')) : '';
    return /^(expect|assert)/.test(name) || (known.has(name) && below.start !== child(node, 'id')?.start);
  });
}
