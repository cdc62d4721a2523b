import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { REASONS } from '../src/domain/refusal.ts';
import { RefusalReasonSchema } from '../src/gen/hongbao/v1/refusal_pb.ts';
import { documentedReasons, errorsTable } from './errors-table.ts';

const documented = documentedReasons();

test('the contract and the service know the same reasons, in the same order', () => {
  const names = RefusalReasonSchema.values
    .slice(1)
    .map((value) => value.name.replace(/^REFUSAL_REASON_/, ''));
  expect(names).toEqual(Object.keys(REASONS));
  expect(documented.map((reason) => reason.name)).toEqual(names);
});

test.each(documented)('the comment of $name states its code and outcome', ({ name, comment }) => {
  const facts = new Map(Object.entries(REASONS)).get(name) ?? expect.fail(name);
  const outcome = facts.outcome === 'noEffect' ? 'no effect' : 'unknown';
  expect(comment).toMatch(new RegExp(`Code ${facts.code}; outcome: ${outcome}\\.$`));
});

test('docs/errors.md is what the contract gives now', () => {
  expect(readFileSync('docs/errors.md', 'utf8')).toBe(errorsTable(documented));
});

test('a reason that the service does not know stops the table', () => {
  expect(() => errorsTable([{ name: 'NO_SUCH_REASON', comment: '' }])).toThrow('NO_SUCH_REASON');
});
