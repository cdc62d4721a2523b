/** What rules need to know of a document in Markdown. */

/** A heading, a link or a block of code, with its position in the text. */
interface Part {
  readonly position: number;
}

/** `[text](target)`. */
export interface Link extends Part {
  readonly target: string;
}

/** A fenced block. */
export interface CodeBlock extends Part {
  /** What stands behind the opening fence; '' when nothing does. */
  readonly language: string;
  readonly text: string;
}

const FENCED = /^( *)```([^\n]*)\n(.*?)^ *```$/gms;

/** Every fenced block in order. */
export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(FENCED)].map(({ index, 2: language = '', 3: text = '' }) => ({
    position: index,
    language: language.trim(),
    text,
  }));
}

/** The text with everything that is code blanked out, so that positions stay. */
export function withoutCode(markdown: string): string {
  const blank = (text: string): string => text.replaceAll(/[^\n]/g, ' ');
  return markdown.replaceAll(FENCED, blank).replaceAll(/(`+)(?!`)[^\n]*?[^`\n]\1(?!`)/g, blank);
}

/** Every link and picture, those in code left out. */
export function links(markdown: string): Link[] {
  const text = withoutCode(markdown);
  const inline = /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;
  const reference = /^ {0,3}\[[^\]]+\]:\s+<?([^\s>]+)>?/gm;
  return [...text.matchAll(inline), ...text.matchAll(reference)].map(({ index, 1: target = '' }) => ({
    position: index,
    target,
  }));
}

/** The anchors of a document: of its headings, made as GitHub makes them, and those it sets itself. */
export function anchors(markdown: string): Set<string> {
  const found = new Set<string>();
  for (const [, title = ''] of blankFences(markdown).matchAll(/^#{1,6} +(.+?)(?: +#+)?$/gm)) {
    const slug = slugOf(title);
    let anchor = slug;
    for (let copy = 1; found.has(anchor); copy += 1) anchor = `${slug}-${copy}`;
    found.add(anchor);
  }
  for (const [, own = ''] of markdown.matchAll(/<a (?:id|name)="([^"]+)"/g)) found.add(own);
  return found;
}

/** Fences only: code within a heading is part of its anchor. */
function blankFences(markdown: string): string {
  return markdown.replaceAll(FENCED, '');
}

function slugOf(title: string): string {
  return title
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Mark}\p{Number}\p{Connector_Punctuation} -]/gu, '')
    .replaceAll(' ', '-');
}
