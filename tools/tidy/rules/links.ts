import { posix } from 'node:path';
import { anchors, type Link, links as linksIn } from '../markdown.ts';
import type { Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';

/** Addresses of other sites; nothing is fetched to look at them. */
const ELSEWHERE = /^(https?|mailto):/;

/** A path of the repository, as text names it. */
const NAMED_PATH = /`((?:src|test|tools|bench|docs|deploy|k8s|proto)\/[\w./-]+)`/g;
/** What tells of the past names what was there then. */
const OF_THE_PAST = /^(CHANGELOG\.md|docs\/adr\/)/;

/** Documents lead where they say. */
export const links: Rule = {
  promise:
    'every link and path in a document leads to a file of the repository, and to a heading that is there',
  check: (files) => {
    const known = new Known(files);
    const documents = files.filter(isDocument);
    return documents.flatMap((file) => [...faultsOf(file, known), ...lostPaths(file, known)]);
  },
  planted: {
    'docs/gone.md': '[there](no-such.md)',
    'docs/moved.md': '# Here\n\n[there](moved.md#no-such-heading)',
    'docs/own.md': '# Here\n\nfirst [this](#here), then [that](#there)',
    'docs/outside.md': '![picture](../../elsewhere.svg)',
    'docs/absolute.md': '[code](/src/main.ts)',
    'docs/named.md': 'see `src/no-such-file.ts`',
  },
};

const isDocument = (file: SourceFile): boolean => file.path.endsWith('.md');

/** What links can lead to. */
class Known {
  readonly #files: ReadonlyMap<string, SourceFile>;
  readonly #folders = new Set<string>(['.']);
  readonly #anchors = new Map<string, ReadonlySet<string>>();

  constructor(files: readonly SourceFile[]) {
    this.#files = new Map(files.map((file) => [file.path, file]));
    for (const { path } of files) {
      for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder))
        this.#folders.add(folder);
    }
  }

  has(path: string): boolean {
    return this.#files.has(path) || this.#folders.has(path.replace(/\/$/, ''));
  }

  hasAnchor(path: string, anchor: string): boolean {
    const known = this.#anchors.get(path) ?? anchors(this.#files.get(path)?.text ?? '');
    this.#anchors.set(path, known);
    return known.has(anchor);
  }
}

function faultsOf(file: SourceFile, known: Known): string[] {
  return linksIn(file.text).flatMap((link) => {
    const complaint = ELSEWHERE.test(link.target) ? undefined : complaintAbout(file, link, known);
    return complaint === undefined ? [] : [file.fault(link.position, complaint)];
  });
}

function lostPaths(file: SourceFile, known: Known): string[] {
  if (OF_THE_PAST.test(file.path)) return [];
  return [...file.text.matchAll(NAMED_PATH)]
    .filter(([, path = '']) => !known.has(path))
    .map(({ index, 1: path = '' }) => file.fault(index, `there is no ${path}`));
}

function complaintAbout(file: SourceFile, { target }: Link, known: Known): string | undefined {
  const [path = '', anchor] = decodeURI(target).split('#');
  if (path.startsWith('/')) return `"${target}" is no place beside this file`;
  const there = path === '' ? file.path : posix.join(posix.dirname(file.path), path);
  if (!known.has(there)) return `"${target}" leads nowhere`;
  if (anchor === undefined || !there.endsWith('.md') || known.hasAnchor(there, anchor)) return undefined;
  return `${there} has no heading "#${anchor}"`;
}
