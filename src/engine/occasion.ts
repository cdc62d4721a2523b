import type { UserFacts } from '../domain/cart.ts';
import type { LiveLimit } from '../domain/live-limit.ts';
import type { EvaluationInput } from './evaluation-input.ts';
import { type PreparedCart, prepareCart } from './prepared-cart.ts';
import type { Vocabulary } from './vocabulary.ts';
import type { WallClock } from './wall-clock.ts';
import { zonedClock } from './zoned-clock.ts';

/** The cart, the user and the moment of one evaluation. */
export interface Occasion {
  readonly cart: PreparedCart;
  readonly facts: UserFacts;
  readonly atMs: number;
  readonly wallClock: WallClock;
  /** What is known of limits, by ref of the promotion. */
  readonly limits: ReadonlyMap<number, LiveLimit>;
}

const NO_LIMITS: ReadonlyMap<number, LiveLimit> = new Map();

/** The cart, the user and the moment as checks want them. */
export function occasionOf(vocabulary: Vocabulary, input: EvaluationInput): Occasion {
  return {
    cart: prepareCart(input.cart, vocabulary, input.offers),
    facts: input.facts,
    atMs: input.atMs,
    wallClock: zonedClock(input.atMs),
    limits: limitsByRef(input.limits),
  };
}

function limitsByRef(limits: readonly LiveLimit[] | undefined): ReadonlyMap<number, LiveLimit> {
  if (limits === undefined || limits.length === 0) return NO_LIMITS;
  return new Map(limits.map((limit) => [limit.promotionRef, limit]));
}
