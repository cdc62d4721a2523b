import type { UserFacts } from '../../domain/cart.ts';
import type { PreparedCart } from '../prepared-cart.ts';
import type { WallClock } from '../wall-clock.ts';

/** The cart, the user and the moment of one evaluation. */
export interface Occasion {
  readonly cart: PreparedCart;
  readonly facts: UserFacts;
  readonly atMs: number;
  readonly wallClock: WallClock;
}
