/** What earlier orders have used up of a promotion, as an evaluation sees it. */

/** A limit of uses, and how many there were. */
export interface UseCount {
  readonly allowed: number;
  readonly seen: number;
}

/** What is known of a promotion's limits; a limit that is absent does not bind. */
export interface LiveLimit {
  readonly promotionRef: number;
  /** Uses by anybody, by that limit of all, the day, the week or the month that leaves the fewest. */
  readonly uses?: UseCount;
  /** Uses by the user. */
  readonly userUses?: UseCount;
  /** The money budget and what is left of it, in minor units. */
  readonly budget?: { readonly amountMinor: number; readonly leftMinor: number };
}

/** The uses a limit still allows. */
export function usesLeft({ allowed, seen }: UseCount): number {
  return Math.max(0, allowed - seen);
}
