/** Every rule of the ledger has a proof, and docs/reliability.md names it as it is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));
const RULES = 27;
const ROW = /^\| (\d+) \| .+ \| \[[^\]]+\]\(([^)]+)\): “(.+)” \|$/;

const rows = readFileSync(join(DOCS, 'reliability.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, rule, file = '', title = ''] = ROW.exec(line) ?? [];
    return rule === undefined ? [] : [{ rule: Number(rule), file, title }];
  });

// SPEC C3, C4
test('all of them are there, in order', () => {
  expect(rows.map(({ rule }) => rule)).toEqual(Array.from({ length: RULES }, (_, index) => index + 1));
});

test.each(rows.map(({ rule, file, title }) => [rule, title, file] as const))(
  '%i: %s',
  (_rule, title, file) => {
    expect(readFileSync(join(DOCS, file), 'utf8')).toContain(title);
  },
);
