import type { Failure, Gift } from '../../../src/domain/decision.ts';
import type { ExactCart } from './exact-cart.ts';
import { sum } from './exact-money.ts';

/** What an effect finds when its turn comes. */
export interface Turn {
  readonly cart: ExactCart;
  /** Places of the lines that take part, rising. */
  readonly eligible: readonly number[];
  /** What is left of every line, by place, and of shipping. */
  readonly left: readonly bigint[];
  readonly shippingLeft: bigint;
}

/** What an effect takes off and gives. */
export interface Given {
  /** By place. */
  readonly lineOff: readonly bigint[];
  /** By place: how many units share the discount of the line. */
  readonly sharing: readonly number[];
  readonly shippingOff: bigint;
  readonly gifts: readonly Gift[];
  readonly points: bigint;
}

/** What an effect gives, or why it cannot. */
export type Outcome =
  | { readonly given: Given; readonly failure?: undefined }
  | { readonly given?: undefined; readonly failure: Failure };

/** What is left of one line. */
export function leftAt({ left }: Turn, place: number): bigint {
  return left[place] ?? 0n;
}

/** What is left of the eligible lines together. */
export function leftOfEligible(turn: Turn): bigint {
  return sum(turn.eligible.map((place) => leftAt(turn, place)));
}

/** Units, unit price and amount of the line at a place. */
export function lineAt(
  { cart }: Turn,
  place: number,
): { units: number; price: bigint; amount: bigint; itemId: string } {
  const found = cart.lines[place];
  if (found === undefined) throw new RangeError(`no line at place ${place}`);
  const { line, price, amount } = found;
  return { units: line.quantity, price, amount, itemId: line.itemId };
}

/** Nothing at all, as a start. */
export function nothing({ cart }: Turn): Given {
  const lineOff = cart.lines.map(() => 0n);
  return { lineOff, sharing: cart.lines.map(() => 0), shippingOff: 0n, gifts: [], points: 0n };
}

/** A discount on lines: what is off and how many units share it, for each place that has a part in it. */
export function offLines(
  turn: Turn,
  offs: ReadonlyMap<number, bigint>,
  sharing: ReadonlyMap<number, number>,
): Given {
  return {
    ...nothing(turn),
    lineOff: turn.cart.lines.map((_, place) => offs.get(place) ?? 0n),
    sharing: turn.cart.lines.map((_, place) => sharing.get(place) ?? 0),
  };
}
