import type { UserFacts } from '../domain/cart.ts';
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
}

/** The cart, the user and the moment as checks want them. */
export function occasionOf(vocabulary: Vocabulary, input: EvaluationInput): Occasion {
  return {
    cart: prepareCart(input.cart, vocabulary, input.offers),
    facts: input.facts,
    atMs: input.atMs,
    wallClock: zonedClock(input.atMs),
  };
}
