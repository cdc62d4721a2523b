// SPEC P2, SPEC P10
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Effect } from '../domain/promotion.ts';
import { EffectSchema } from '../gen/hongbao/v1/effect_pb.ts';
import { compileEffect } from './compile-effect.ts';
import { Vocabulary } from './vocabulary.ts';

/** One of each kind, by the field name of the contract. */
const EXAMPLES: { readonly [Kind in Effect['kind']]: Extract<Effect, { kind: Kind }> } = {
  fixed_amount_off: { kind: 'fixed_amount_off', amountMinor: 1 },
  percent_off: { kind: 'percent_off', basisPoints: 1, base: 'remaining' },
  gift_items: { kind: 'gift_items', items: [], placement: 'added_line', onlyDearest: false },
  shipping_off: { kind: 'shipping_off', amountMinor: 1 },
  free_shipping: { kind: 'free_shipping' },
  no_threshold_voucher: { kind: 'no_threshold_voucher', amountMinor: 1 },
  tiered_off: {
    kind: 'tiered_off',
    thresholdKind: 'spend',
    tiers: [],
    base: 'remaining',
    thresholdBasis: 'before',
  },
  every_amount_off: {
    kind: 'every_amount_off',
    everyMinor: 1,
    amountMinor: 1,
    maxTimes: 1,
    thresholdBasis: 'before',
  },
  buy_x_get_y: {
    kind: 'buy_x_get_y',
    buyQuantity: 1,
    getQuantity: 1,
    basisPoints: 1,
    maxGroups: 1,
    rewardChoice: 'cheapest',
  },
  fixed_price: { kind: 'fixed_price', priceMinor: 1 },
  bonus_points: { kind: 'bonus_points', points: 1 },
  points_multiplier: { kind: 'points_multiplier', multiplierBasisPoints: 20_000 },
};

const kindsOfContract = EffectSchema.oneofs.flatMap(({ fields }) => fields.map(({ name }) => name));

it('every kind of effect of the contract compiles, and no other is known', () => {
  expect(Object.keys(EXAMPLES).toSorted()).toEqual(kindsOfContract.toSorted());
  for (const [kind, effect] of Object.entries(EXAMPLES)) {
    expect(compileEffect(effect, new Vocabulary()).kind).toBe(kind);
  }
});

it('every kind of effect has a file of its own, which exports its compiler', () => {
  const folder = new URL('effects/', import.meta.url);
  const files = readdirSync(folder).filter((name) => !name.endsWith('.test.ts'));
  const compilers = files.filter((name) =>
    /: EffectCompiler<'\w+'> = \{/.test(readFileSync(new URL(name, folder), 'utf8')),
  );
  expect(compilers.toSorted()).toEqual(
    kindsOfContract.map((kind) => `${kind.replaceAll('_', '-')}.ts`).toSorted(),
  );
});

it('shipping and benefits are targets of their own, all else works on items', () => {
  const targets = Object.values(EXAMPLES).map((effect) => compileEffect(effect, new Vocabulary()));
  const of = (target: string) => targets.flatMap((each) => (each.target === target ? each.kind : []));
  expect(of('shipping')).toEqual(['shipping_off', 'free_shipping']);
  expect(of('benefit')).toEqual(['bonus_points', 'points_multiplier']);
});
