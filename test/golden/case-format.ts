import { z } from 'zod';
import type { Cart, CartLine, ItemOffer, UserFacts } from '../../src/domain/cart.ts';
import type { PromotionDefinition } from '../../src/domain/promotion.ts';
import type { EvaluationInput, HeldCoupon, Selection } from '../../src/engine/evaluation-input.ts';
import { factsUsed } from '../../src/evaluation/facts-used.ts';
import { expectationFormat } from './expectation-format.ts';
import { moment, promotionFormat } from './promotion-format.ts';

const whole = z.int();
const attributes = z.record(z.string(), z.union([z.string(), whole, z.boolean()]));

const line = z.strictObject({
  id: z.string().exactOptional(),
  item: z.string(),
  categories: z.array(z.string()).default([]),
  price: whole,
  quantity: whole.default(1),
  onSale: z.boolean().default(false),
});

const cart = z.strictObject({
  lines: z.array(line).default([]),
  shipping: whole.default(0),
  channel: z.string().exactOptional(),
  region: z.string().exactOptional(),
  paymentMethod: z.string().exactOptional(),
  attributes: attributes.default({}),
});

const user = z.strictObject({
  tags: z.array(z.string()).exactOptional(),
  registeredAt: moment.exactOptional(),
  orders: whole.exactOptional(),
  attributes: attributes.exactOptional(),
  level: z.string().exactOptional(),
  birthday: z.string().exactOptional(),
});

const useCount = z.strictObject({ allowed: whole, seen: whole });

/** What earlier orders have used up, by the id of the promotion. */
const limits = z.record(
  z.string(),
  z.strictObject({
    uses: useCount.exactOptional(),
    userUses: useCount.exactOptional(),
    budget: z.strictObject({ amountMinor: whole, leftMinor: whole }).exactOptional(),
  }),
);

const coupon = z.strictObject({
  id: z.string(),
  /** Id of its promotion; one that is not in the case does not exist. */
  of: z.string(),
  version: whole.default(1),
  state: z.enum(['unused', 'reserved', 'used', 'expired', 'revoked']).default('unused'),
  from: moment.default(0),
  until: moment.exactOptional(),
});

const caseFormat = z.strictObject({
  proves: z.string().regex(/^SPEC [A-Z]\d+/),
  /** The arithmetic, or the rule, that leads to the expected answer. */
  why: z.string().min(10),
  currency: z.string().default('CNY'),
  promotions: z.array(promotionFormat),
  olderVersions: z.array(promotionFormat).default([]),
  cart: cart.prefault({}),
  offers: z
    .record(z.string(), z.strictObject({ price: whole, available: z.boolean().default(true) }))
    .default({}),
  /** What the caller states about the user, whether he is believed, and what is kept about the user. */
  user: user.prefault({}),
  trusted: z.boolean().default(true),
  kept: user.prefault({}),
  limits: limits.default({}),
  coupons: z.array(coupon).default([]),
  codes: z.array(z.string()).default([]),
  /** Single-use codes that exist, with their promotion. */
  singleUse: z
    .record(z.string(), z.strictObject({ of: z.string(), taken: z.boolean().default(false) }))
    .default({}),
  select: z
    .strictObject({ coupons: z.array(z.string()).default([]), codes: z.array(z.string()).default([]) })
    .exactOptional(),
  couponsPerOrder: whole.default(1),
  /** A Wednesday, noon in Shanghai, unless the case is about time. */
  at: moment.prefault('2026-03-04T12:00:00+08:00'),
  expect: expectationFormat,
});

type CaseText = z.infer<typeof caseFormat>;

/** A case as evaluators take it. */
export interface GoldenCase {
  readonly current: readonly PromotionDefinition[];
  readonly older: readonly PromotionDefinition[];
  readonly input: EvaluationInput;
  readonly expected: CaseText['expect'];
}

/** Refs of promotions that do not exist. */
const NO_SUCH_REF = 999;

/** Reads a case; throws when it is not written as cases are. */
export function readCase(text: unknown): GoldenCase {
  const written = caseFormat.parse(text);
  const refOf = (id: string): number => {
    const at = written.promotions.findIndex((promotion) => promotion.id === id);
    return at === -1 ? NO_SUCH_REF : at + 1;
  };
  const withRef = (promotion: Omit<PromotionDefinition, 'ref'>): PromotionDefinition => ({
    ...promotion,
    ref: refOf(promotion.id),
  });
  return {
    current: written.promotions.map(withRef),
    older: written.olderVersions.map(withRef),
    input: {
      cart: cartOf(written),
      offers: offersOf(written),
      facts: factsUsed(written.trusted ? factsOf(written.user) : {}, factsOf(written.kept)),
      atMs: written.at,
      coupons: written.coupons.map((held) => couponOf(held, refOf)),
      codes: written.codes,
      resolvedCodes: Object.entries(written.singleUse).map(([code, { of, taken }]) => ({
        code,
        promotionRef: refOf(of),
        state: taken ? 'taken' : 'free',
      })),
      limits: Object.entries(written.limits).map(([id, limit]) => ({ promotionRef: refOf(id), ...limit })),
      selection: selectionOf(written),
      couponsPerOrder: written.couponsPerOrder,
      wantsTrace: false,
    },
    expected: written.expect,
  };
}

function cartOf({ currency, cart: written }: CaseText): Cart {
  const { shipping, lines, attributes: values, ...rest } = written;
  return {
    ...rest,
    currency,
    taxMode: 'included',
    shippingMinor: shipping,
    lines: lines.map(lineOf),
    attributes: new Map(Object.entries(values)),
  };
}

function lineOf(
  { id, item, categories, price, quantity, onSale }: CaseText['cart']['lines'][number],
  at: number,
): CartLine {
  return {
    lineId: id ?? String.fromCharCode('a'.charCodeAt(0) + at),
    itemId: item,
    categoryIds: categories,
    quantity,
    unitPriceMinor: price,
    isOnSale: onSale,
  };
}

function offersOf({ offers }: CaseText): Map<string, ItemOffer> {
  return new Map(
    Object.entries(offers).map(([itemId, { price, available }]) => [
      itemId,
      { unitPriceMinor: price, isAvailable: available },
    ]),
  );
}

function factsOf({ tags, registeredAt, orders, attributes: values, ...rest }: CaseText['user']): UserFacts {
  return {
    ...rest,
    ...(tags === undefined ? {} : { tags: new Set(tags) }),
    ...(registeredAt === undefined ? {} : { registeredAtMs: registeredAt }),
    ...(orders === undefined ? {} : { ordersCompleted: orders }),
    ...(values === undefined ? {} : { attributes: new Map(Object.entries(values)) }),
  };
}

function couponOf(held: CaseText['coupons'][number], refOf: (id: string) => number): HeldCoupon {
  return {
    couponId: held.id,
    promotionRef: refOf(held.of),
    promotionVersion: held.version,
    state: held.state,
    validFromMs: held.from,
    ...(held.until === undefined ? {} : { expiresAtMs: held.until }),
  };
}

function selectionOf({ select }: CaseText): Selection {
  return select === undefined
    ? { kind: 'best' }
    : { kind: 'own', couponIds: select.coupons, codes: select.codes };
}
