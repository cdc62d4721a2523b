import { codeBlocks, links, withoutCode } from '../markdown.ts';
import type { Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';

const ORIGINAL = 'README.md';
const TRANSLATION = 'README.zh-CN.md';

/** The Chinese README says what the English one says: commands, answers, figures and links are the same in every section. */
export const translatedReadme: Rule = {
  promise: `${TRANSLATION} has the commands, figures and links of ${ORIGINAL}, section by section`,
  check: (files) => {
    const original = files.find(({ path }) => path === ORIGINAL);
    const translation = files.find(({ path }) => path === TRANSLATION);
    if (original === undefined || translation === undefined) return [];
    return [
      ...linked(original, TRANSLATION),
      ...linked(translation, ORIGINAL),
      ...compare(original, translation),
    ];
  },
  planted: {
    [ORIGINAL]: `[中文](${TRANSLATION})\n\n## Try\n\n\`\`\`sh\nnpm start # all\n\`\`\`\n\n10,000 a second\n`,
    [TRANSLATION]: `[English](${ORIGINAL})\n\n## 试\n\n\`\`\`sh\nnpm run start # 全部\n\`\`\`\n\n10,000\n`,
  },
};

function linked(file: SourceFile, other: string): string[] {
  return links(file.text).some(({ target }) => target === other) ? [] : [file.fault(0, `link to ${other}`)];
}

interface Section {
  readonly position: number;
  readonly commands: readonly string[];
  readonly figures: readonly string[];
  readonly targets: readonly string[];
}

function compare(original: SourceFile, translation: SourceFile): string[] {
  const [wanted, given] = [sections(original.text), sections(translation.text)];
  if (wanted.length !== given.length)
    return [`${TRANSLATION}:1: ${given.length} sections; ${ORIGINAL} has ${wanted.length}`];
  return wanted.flatMap((section, index) => {
    const translated = given[index];
    if (translated === undefined) return [];
    const kinds = (['commands', 'figures', 'targets'] as const).filter(
      (kind) => section[kind].join('\n') !== translated[kind].join('\n'),
    );
    const line = original.lineAt(section.position);
    return kinds.map((kind) =>
      translation.fault(
        translated.position,
        `${kind} differ from ${ORIGINAL}:${line}: ${difference(section[kind], translated[kind])}`,
      ),
    );
  });
}

function sections(markdown: string): Section[] {
  // Code is blanked, so that a comment of a shell is no heading.
  const starts = [0, ...[...withoutCode(markdown).matchAll(/^#{2,3} /gm)].map(({ index }) => index)];
  return starts.map((position, index) => sectionOf(position, markdown.slice(position, starts[index + 1])));
}

function sectionOf(position: number, text: string): Section {
  const blocks = codeBlocks(text).filter(({ language }) => language !== '');
  const targets = links(text).map(({ target }) => target);
  return {
    position,
    commands: blocks.map((block) => block.text.replaceAll(/ +# .*$/gm, '')),
    // Digits only: words for numbers are each language's own.
    figures: (
      withoutCode(text)
        .replaceAll(/\]\([^)]*\)/g, ']')
        .match(/(?<![\w-])\d+(?:[.,]\d+)*/g) ?? []
    ).toSorted(),
    targets: targets.filter((target) => !/^(#|README\b)/.test(target)).toSorted(),
  };
}

/** What one list has more often than the other, and the other way round. */
function difference(wanted: readonly string[], given: readonly string[]): string {
  const missing = without(wanted, given);
  const added = without(given, wanted);
  return missing.length + added.length === 0
    ? 'another order'
    : `missing ${JSON.stringify(missing)}, added ${JSON.stringify(added)}`;
}

function without(list: readonly string[], taken: readonly string[]): string[] {
  const left = [...list];
  for (const one of taken) if (left.includes(one)) left.splice(left.indexOf(one), 1);
  return left;
}
