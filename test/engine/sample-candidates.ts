/** Candidates to combine in tests, made from definitions by the product's own compiler, their checks taken as passed. */
import type { Cart } from '../../src/domain/cart.ts';
import type { PromotionDefinition } from '../../src/domain/promotion.ts';
import type { Candidate } from '../../src/engine/candidate.ts';
import { compilePromotion } from '../../src/engine/compile-promotion.ts';
import { eligibilityOf } from '../../src/engine/match/eligible-lines.ts';
import { type PreparedCart, prepareCart } from '../../src/engine/prepared-cart.ts';
import { Vocabulary } from '../../src/engine/vocabulary.ts';

/** A promotion and how it got to the cart. */
export interface Offered {
  readonly definition: PromotionDefinition;
  /** Absent: it applies by itself. */
  readonly couponId?: string;
  /** Absent: for ever. */
  readonly expiresAtMs?: number;
}

/** A cart with the candidates that can be used on it. */
export interface Table {
  readonly cart: PreparedCart;
  readonly candidates: readonly Candidate[];
}

/** Prepares a cart with candidates, in the order given. Several coupons of one definition share one compiled promotion. */
export function layTable(cart: Cart, offered: readonly Offered[]): Table {
  const vocabulary = new Vocabulary();
  const definitions = [...new Set(offered.map(({ definition }) => definition))];
  const compiled = new Map(definitions.map((each) => [each, compilePromotion(each, vocabulary)]));
  const prepared = prepareCart(cart, vocabulary);
  const candidates = offered.flatMap(({ definition, couponId, expiresAtMs = Infinity }): Candidate[] => {
    const promotion = compiled.get(definition);
    if (promotion === undefined) return [];
    const source =
      couponId === undefined ? ({ kind: 'automatic' } as const) : ({ kind: 'coupon', couponId } as const);
    return [
      {
        promotion,
        source,
        ...eligibilityOf(promotion, prepared),
        expiresAtMs,
        takesSlot: couponId !== undefined,
        budgetLeftMinor: definition.budget?.amountMinor ?? Infinity,
      },
    ];
  });
  return { cart: prepared, candidates };
}

/** The name by which a test speaks of a candidate: the promotion's id and, if there is one, the coupon's. */
export function nameOf({ promotion, source }: Candidate): string {
  return source.kind === 'coupon' ? `${promotion.definition.id}/${source.couponId}` : promotion.definition.id;
}
