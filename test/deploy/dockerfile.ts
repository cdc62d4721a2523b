/** The Dockerfile and .dockerignore as data: stages, their instructions in order, and what of the tree a build gets to see. */
import { readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { ROOT } from './manifests.ts';

/** One line, continued ones joined, spaces made single. */
export interface Instruction {
  /** In capitals, such as `RUN`. */
  readonly name: string;
  readonly rest: string;
}

/** What stands between two `FROM`. */
export interface Stage {
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

/** Every instruction of the Dockerfile, those before the first stage too. */
export function readInstructions(): Instruction[] {
  return readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    .replaceAll(/^#.*$/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '')
    .map((line) => ({ name: line.split(' ')[0] ?? '', rest: line.slice(line.indexOf(' ') + 1) }));
}

/** The stages in order. */
export function readStages(): Stage[] {
  const all = readInstructions();
  const starts = all.flatMap(({ name }, index) => (name === 'FROM' ? [index] : []));
  return starts.map((start, place) => ({
    name: / AS (\w+)$/.exec(all[start]?.rest ?? '')?.[1] ?? '',
    instructions: all.slice(start + 1, starts[place + 1]),
  }));
}

/** The variables that the `ENV` lines of a stage set. */
export function environmentOf(stage: Stage): Record<string, string> {
  const pairs = stage.instructions
    .filter(({ name }) => name === 'ENV')
    .flatMap(({ rest }) => [...rest.matchAll(/(\w+)=(?:"([^"]*)"|(\S*))/g)])
    .map(([, name = '', quoted, plain]): [string, string] => [name, quoted ?? plain ?? '']);
  return Object.fromEntries(pairs);
}

/** The words of an instruction in exec form; those of the last one when there are several. @throws when there is none. */
export function wordsOf(stage: Stage, name: string): string[] {
  const { rest = '' } = stage.instructions.findLast((instruction) => instruction.name === name) ?? {};
  const words: unknown = JSON.parse(rest.slice(rest.indexOf('[')));
  if (!Array.isArray(words)) throw new Error(`${name} is not in exec form: ${rest}`);
  return words.map(String);
}

/** Whether a path of the repository reaches the build: the last rule of .dockerignore that matches it, or a folder it is in, decides. */
export function reachesBuild(path: string): boolean {
  const rules = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const last = rules.findLast((rule) => matchesRule(path, rule.replace(/^!/, '')));
  return last === undefined || last.startsWith('!');
}

function matchesRule(path: string, rule: string): boolean {
  const parts = path.split('/');
  return parts.some((_, depth) => matchesGlob(parts.slice(0, depth + 1).join('/'), rule));
}
