import { perFile, type Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { descendants, dottedName, field, importedModules, type SyntaxNode } from '../syntax.ts';

/** The layers whose answers depend on nothing but their arguments. */
const PURE_LAYERS = ['src/domain/', 'src/engine/'];

/** Modules that compute and do nothing else. */
const PURE_MODULES = ['node:buffer', '@bufbuild/cel', '@bufbuild/protobuf/wkt', 'lru-cache'];

/** Names whose mere use makes the answer depend on time, chance, the machine or the event loop. */
const IMPURE_NAMES = new Set([
  'Promise',
  'process',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'fetch',
  'console',
  'Temporal.Now',
  'Date.now',
  'Math.random',
  'crypto',
  'globalThis',
]);

/** Time and chance are arguments in domain and engine, and nothing there waits. */
export const purity: Rule = {
  promise: 'domain and engine hold no promise, clock, chance, environment, driver or generated code',
  check: perFile((file) => (isPure(file) ? [...impureNodes(file), ...impureImports(file)] : [])),
  planted: {
    'src/domain/clock.ts': 'export const now = () => Date.now();',
    'src/domain/date.ts': 'export const now = () => new Date();',
    'src/domain/wait.ts': 'export async function wait() {}',
    'src/engine/chance.ts': 'export const dice = () => Math.random();',
    'src/engine/disk.ts': `import { readFileSync } from 'node:fs'; export { readFileSync };`,
  },
};

function isPure(file: SourceFile): boolean {
  return file.isProduct && PURE_LAYERS.some((layer) => file.path.startsWith(layer));
}

function impureNodes(file: SourceFile): string[] {
  return descendants(file.parsed.program)
    .flatMap((node) => {
      const reason = impurity(node);
      return reason === undefined ? [] : [file.fault(node.start, `${reason} has no place in a pure layer`)];
    })
    .toArray();
}

function impurity(node: SyntaxNode): string | undefined {
  if (field(node, 'async') === true) return 'an async function';
  if (node.type === 'AwaitExpression') return 'await';
  const name = dottedName(node);
  if (IMPURE_NAMES.has(name)) return name;
  return readsClock(node) ? 'new Date() without an argument' : undefined;
}

function readsClock(node: SyntaxNode): boolean {
  const parameters = field(node, 'arguments');
  const isDate = node.type === 'NewExpression' && dottedNameOfCallee(node) === 'Date';
  return isDate && Array.isArray(parameters) && parameters.length === 0;
}

function dottedNameOfCallee(node: SyntaxNode): string {
  const callee = field(node, 'callee');
  return typeof callee === 'object' && callee !== null && 'name' in callee ? String(callee.name) : '';
}

function impureImports(file: SourceFile): string[] {
  return importedModules(file.parsed.program)
    .filter(({ name }) => !name.startsWith('.') && !PURE_MODULES.includes(name))
    .map(({ name, position }) => file.fault(position, `a pure layer must not import ${name}`));
}
