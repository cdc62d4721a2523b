import { expect, test } from 'vitest';
import { anchors, codeBlocks, links } from './markdown.ts';

test('anchors are those that GitHub makes', () => {
  const text =
    '# How fast?\n## `a.b` and [c](d.md)\n## 有多快\n## Same\n## Same\n```sh\n# no heading\n```\n<a id="own"></a>\n';
  expect([...anchors(text)]).toEqual(['how-fast', 'ab-and-c', '有多快', 'same', 'same-1', 'own']);
});

test('links are found in text and tables, not in code', () => {
  const text = '[a](a.md "title") | ![b](b.svg) | `[c](c.md)`\n\n```\n[d](d.md)\n```\n\n[e]: e.md\n';
  expect(links(text).map(({ target }) => target)).toEqual(['a.md', 'b.svg', 'e.md']);
});

test('blocks have their language and their text', () => {
  const found = codeBlocks('```sh\nls\n```\ntext\n\n```\nplain\n```\n');
  expect(found.map(({ language, text }) => [language, text])).toEqual([
    ['sh', 'ls\n'],
    ['', 'plain\n'],
  ]);
});
