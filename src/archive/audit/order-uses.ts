import type { Redemption } from '../../domain/redemption.ts';
import type { Write } from '../../ledger/event-format.ts';
import { USAGE_FIELDS } from '../../ledger/record-fields.ts';
import { type RecordImage, userOfRecord } from './apply-write.ts';
import { orderHead } from './order-head.ts';

/** What uses of one promotion come to: each counter's name and figure, as the usage record has them. */
export type UseFigures = Map<string, number>;

/** One use of a promotion by an order. */
export interface Use {
  readonly ref: number;
  readonly discountMinor: number;
  readonly periods: readonly string[];
}

/** What orders count of promotions; an order that left Redis goes on counting. */
export class OrderUses {
  private readonly byOrder = new Map<string, readonly Use[]>();

  /** Takes over an order after a write; one without a head counts what it counted before. */
  apply({ id }: Write, image: RecordImage | undefined): void {
    const head = orderHead(image);
    if (head !== undefined) this.byOrder.set(id, usesOf(head));
  }

  /** Adds what all orders count to the figures of the promotions, by ref. */
  addTo(totals: Map<number, UseFigures>): void {
    for (const uses of this.byOrder.values()) {
      for (const { ref, discountMinor, periods } of uses) {
        const figures = totals.get(ref) ?? new Map<string, number>();
        totals.set(ref, figures);
        raise(figures, USAGE_FIELDS.uses.name, 1);
        raise(figures, USAGE_FIELDS.money.name, discountMinor);
        for (const period of periods) raise(figures, period, 1);
      }
    }
  }

  /** How often each user has used each promotion, by user and ref. */
  byUser(): Map<string, Map<number, number>> {
    const users = new Map<string, Map<number, number>>();
    for (const [id, uses] of this.byOrder) {
      const counts = users.get(userOfRecord(id)) ?? new Map<number, number>();
      users.set(userOfRecord(id), counts);
      for (const { ref } of uses) raise(counts, ref, 1);
    }
    return users;
  }
}

/** The uses an order counts as its head is. */
export function usesOf({ state, promotions }: Redemption): Use[] {
  if (state === 'released' || state === 'expired') return [];
  return promotions
    .filter(({ givenBack }) => !givenBack)
    .map(({ promotionRef, discountMinor, periods }) => ({ ref: promotionRef, discountMinor, periods }));
}

function raise<Key>(figures: Map<Key, number>, key: Key, amount: number): void {
  figures.set(key, (figures.get(key) ?? 0) + amount);
}
