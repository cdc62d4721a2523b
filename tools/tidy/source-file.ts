import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Comment, parseSync } from 'oxc-parser';
import type { SyntaxNode } from './syntax.ts';

const ROOT_DIRECTORY = fileURLToPath(new URL('../..', import.meta.url));

/** A file of the repository; TypeScript is parsed when first asked for. */
export class SourceFile {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  #parsed: { program: SyntaxNode; comments: readonly Comment[] } | undefined;
  #lineStarts: number[] | undefined;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  /** TypeScript that people wrote: neither generated nor from somebody else. */
  get isWritten(): boolean {
    return (
      this.path.endsWith('.ts') && !this.path.startsWith('src/gen/') && !this.path.startsWith('third_party/')
    );
  }

  /** Whether the file holds tests. */
  get isTest(): boolean {
    return this.path.endsWith('.test.ts');
  }

  /** Product code: it is shipped, so the strictest rules hold. */
  get isProduct(): boolean {
    return this.isWritten && this.path.startsWith('src/') && !this.isTest;
  }

  /** The syntax tree, with every comment in the order of the text. */
  get parsed(): { program: SyntaxNode; comments: readonly Comment[] } {
    this.#parsed ??= parseSync(this.path, this.text);
    return this.#parsed;
  }

  /** Line number, from 1, of a position in the text. */
  lineAt(position: number): number {
    this.#lineStarts ??= [0, ...this.text.matchAll(/\n/g).map((match) => match.index + 1)];
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= position) low = middle;
      else high = middle;
    }
    return low + 1;
  }

  /** "path:line: message", as editors understand it. */
  fault(position: number, message: string): string {
    return `${this.path}:${this.lineAt(position)}: ${message}`;
  }
}

/** Every text file of the work tree that git tracks or would track. */
export function repositoryFiles(): SourceFile[] {
  const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: ROOT_DIRECTORY,
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  const paths = [...new Set(list.split('\0'))].filter(
    (path) => path !== '' && existsSync(join(ROOT_DIRECTORY, path)),
  );
  return paths
    .map((path) => new SourceFile(path, readFileSync(join(ROOT_DIRECTORY, path), 'utf8')))
    .filter((file) => !file.text.includes('\0'));
}
