import type { Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { child, nodesOfType } from '../syntax.ts';

/** Limits in lines. What reads well stays far below the hard ones; medians keep the whole honest. */
const MEDIAN_FUNCTION_LINES = 12;
const P90_FUNCTION_LINES = 40;
const MAX_FUNCTION_LINES = 70;
const MAX_FILE_LINES = 400;

/** Paths whose length, or whose functions' length, may exceed the hard limits, each with the reason. */
const MAY_BE_LONGER: ReadonlyMap<string, string> = new Map([]);

const FUNCTION_TYPES = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'];

/** Functions short enough to be read at a glance, files that tell one story. */
export const sizes: Rule = {
  promise: `functions have a median of at most ${MEDIAN_FUNCTION_LINES} lines, a p90 of ${P90_FUNCTION_LINES} and never more than ${MAX_FUNCTION_LINES}; files at most ${MAX_FILE_LINES}`,
  check: (files) => {
    const sources = files.filter((file) => file.isWritten && !file.isTest);
    const functions = sources.flatMap(functionsOf);
    return [
      ...longFiles(files),
      ...functions.filter(isTooLong).map(({ fault }) => fault),
      ...spread(functions.map(({ lines }) => lines)),
    ];
  },
  planted: {
    'src/ledger/long-function.ts': `export function f() {\n${'  step();\n'.repeat(MAX_FUNCTION_LINES)}}`,
    'src/ledger/long.lua': '-- line\n'.repeat(MAX_FILE_LINES + 1),
    'src/ledger/middling.ts': Array.from({ length: 20 }, () => `() => {\n${'step();\n'.repeat(45)}};\n`).join(
      '',
    ),
  },
};

interface FunctionSize {
  readonly path: string;
  readonly lines: number;
  readonly fault: string;
}

function isTooLong({ path, lines }: FunctionSize): boolean {
  return lines > MAX_FUNCTION_LINES && !MAY_BE_LONGER.has(path);
}

function functionsOf(file: SourceFile): FunctionSize[] {
  return nodesOfType(file.parsed.program, ...FUNCTION_TYPES)
    .filter((node) => child(node, 'body')?.type === 'BlockStatement')
    .map((node) => {
      const lines = file.lineAt(node.end - 1) - file.lineAt(node.start) + 1;
      const fault = file.fault(node.start, `a function of ${lines} lines; at most ${MAX_FUNCTION_LINES}`);
      return { path: file.path, lines, fault };
    });
}

function longFiles(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => (file.isWritten && !file.isTest) || /\.(lua|sql|mjs)$/.test(file.path))
    .filter((file) => !MAY_BE_LONGER.has(file.path))
    .map((file) => ({ file, lines: file.text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > MAX_FILE_LINES)
    .map(({ file, lines }) => file.fault(0, `a file of ${lines} lines; at most ${MAX_FILE_LINES}`));
}

function spread(lengths: readonly number[]): string[] {
  const sorted = lengths.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  const faults: string[] = [];
  if (at(0.5) > MEDIAN_FUNCTION_LINES) faults.push(`all: the median function has ${at(0.5)} lines`);
  if (at(0.9) > P90_FUNCTION_LINES) faults.push(`all: the p90 of functions is ${at(0.9)} lines`);
  return faults;
}
