import type { SourceFile } from './source-file.ts';

/** One habit of the house that a machine can check. */
export interface Rule {
  /** What holds, as a sentence; the title of the test. */
  readonly promise: string;
  /** Every fault as "path:line: message"; an empty list when the promise holds. */
  check(files: readonly SourceFile[]): string[];
  /** Path and text of a file that breaks the promise; proves that the rule can fail. */
  readonly planted: Readonly<Record<string, string>>;
}

/** A rule that looks at one file at a time. */
export function perFile(check: (file: SourceFile) => string[]): (files: readonly SourceFile[]) => string[] {
  return (files) => files.flatMap(check);
}
