import { describe, expect, it } from 'vitest';
import { sampleDefinition } from '../../test/engine/sample-definition.ts';
import { sampleCoupon, sampleInput } from '../../test/engine/sample-input.ts';
import { evaluateCart } from './evaluate-cart.ts';
import { RuleTable } from './rule-table.ts';

function tableOf(...changes: Parameters<RuleTable['change']>[0]): RuleTable {
  const table = new RuleTable();
  table.change(changes, 1);
  return table;
}

const change = (definition = sampleDefinition()) => ({ ref: definition.ref, definition });

describe('a table of rules (SPEC C1, P1)', () => {
  it('reports every definition that cannot be compiled and goes on with the last good one', () => {
    const table = tableOf(change(), change(sampleDefinition({ ref: 2 })));
    const broken = [1, 2].map((ref) =>
      sampleDefinition({ ref, version: 2, rules: [{ kind: 'cel', expression: 'cart.' }] }),
    );
    const faults = table.change(broken.map(change), 2);
    expect(faults.map(({ promotionId, version }) => [promotionId, version])).toEqual([
      ['promotion-1', 2],
      ['promotion-2', 2],
    ]);
    expect(faults[0]?.field).toContain('rules[0]');
    const { applied, ruleSetVersion } = evaluateCart(table, sampleInput());
    expect(ruleSetVersion).toBe(2);
    expect(applied.map(({ promotionVersion }) => promotionVersion)).toEqual([1, 1]);
  });

  it('an issued coupon keeps the version it was claimed under', () => {
    const claimable = { kind: 'claimable' } as const;
    const table = tableOf(change(sampleDefinition({ version: 2, reach: claimable })));
    const coupon = sampleCoupon();
    expect(table.missingVersions([coupon, coupon])).toEqual([{ ref: 1, version: 1 }]);
    const older = { kind: 'fixed_amount_off', amountMinor: 7 } as const;
    table.addVersion(sampleDefinition({ reach: claimable, effect: older }));
    expect(table.missingVersions([coupon])).toEqual([]);
    const { totals } = evaluateCart(table, sampleInput({ coupons: [coupon] }));
    expect(totals.itemsDiscountMinor).toBe(7);
  });

  it('of two promotions with one code the active one counts, and the other takes over when it goes', () => {
    const code = { reach: { kind: 'public_code', code: 'hello' } } as const;
    const first = sampleDefinition({ ref: 1, isActive: false, ...code });
    const second = sampleDefinition({ ref: 2, ...code });
    const table = tableOf(change(first), change(second));
    expect(table.byCode('hello')?.definition.ref).toBe(2);
    table.change([{ ref: 2 }], 2);
    expect(table.byCode('hello')?.definition.ref).toBe(1);
    table.change([{ ref: 1 }], 3);
    expect(table.byCode('hello')).toBeUndefined();
    expect(table.size).toBe(0);
  });
});
