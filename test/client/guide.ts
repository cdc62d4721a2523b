/** A document with blocks of code, each with what it prints. */

/** One block that is run. */
export interface Block {
  /** Its place among the blocks that are run, from 1. */
  readonly number: number;
  /** What the paragraph before says in bold, or the heading above. */
  readonly title: string;
  readonly language: string;
  readonly text: string;
  /** The block that directly follows, which is what it prints; '' when none does. */
  readonly answer: string;
}

/** The blocks of TypeScript and of calls by shell in order, over all documents; what only starts something is left out. */
export function readGuide(...documents: readonly string[]): Block[] {
  const markdown = documents.join('\n');
  const blocks = /^```(ts|sh)\n(.*?)^```\n(?:\n```(?:json|text)\n(.*?)^```\n)?/gms;
  const calls = [...markdown.matchAll(blocks)].filter(
    ([, language, text]) => language === 'ts' || text?.includes('curl'),
  );
  return calls.map((match, index) => {
    const [, language = '', text = '', answer = ''] = match;
    const [title = ''] =
      markdown
        .slice(0, match.index)
        .match(/(?<=^#+ ).+$|(?<=^\*\*).+?(?=\*\*)/gm)
        ?.slice(-1) ?? [];
    return { number: index + 1, title, language, text, answer };
  });
}

/** Blanks only lay an answer out, and how depends on the width of ids and times. */
export function withoutBlanks(text: string): string {
  return text.replace(/\s+/g, '');
}

/** Matches exactly the answer, but for its placeholders: each `…` stands for some text within one string or field. */
export function answerPattern(answer: string): RegExp {
  const literal = withoutBlanks(answer).split('…').map(RegExp.escape);
  return new RegExp(`^${literal.join('[^",]+')}$`);
}
