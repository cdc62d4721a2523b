import { posix } from 'node:path';
import type { Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { importedModules } from '../syntax.ts';

/** No file needs itself, by whatever way round, to be loaded. Types do not count: they are gone by then. */
export const noImportCycles: Rule = {
  promise: 'no file imports itself by way of others',
  check: (files) => {
    const graph = importGraph(files.filter((file) => file.isProduct));
    return [...graph.keys()].flatMap((path) => cycleFrom(path, graph));
  },
  planted: {
    'src/ledger/a.ts': `import { b } from './b.ts'; export const a = () => b;`,
    'src/ledger/b.ts': `import { a } from './a.ts'; export const b = () => a;`,
  },
};

type Graph = ReadonlyMap<string, readonly string[]>;

function importGraph(files: readonly SourceFile[]): Graph {
  return new Map(
    files.map((file) => [
      file.path,
      importedModules(file.parsed.program)
        .filter(({ name, isType }) => name.startsWith('.') && !isType)
        .map(({ name }) => posix.join(posix.dirname(file.path), name)),
    ]),
  );
}

/** The cycle that `start` lies on, reported only by the first file of it, or nothing. */
function cycleFrom(start: string, graph: Graph): string[] {
  const cameFrom = new Map<string, string>();
  const open = [start];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    for (const next of graph.get(path) ?? []) {
      if (next === start) return reportOnce(start, path, cameFrom);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, path);
      open.push(next);
    }
  }
  return [];
}

function reportOnce(start: string, last: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const cycle = [start];
  for (let path: string | undefined = last; path !== undefined && path !== start; path = cameFrom.get(path)) {
    cycle.splice(1, 0, path);
  }
  const isFirst = cycle.every((path) => path >= start);
  return isFirst ? [`${start}:1: imports itself: ${[...cycle, start].join(' → ')}`] : [];
}
