/** The parts of an order's events beside its head: what counts, and who has which coupon. */
import type { Redemption } from '../../../../src/domain/redemption.ts';
import { ACCOUNT_FIELDS, USAGE_FIELDS, userUsesField } from '../../../../src/ledger/record-fields.ts';
import { counter } from './paper-coupons.ts';
import type { PaperPartition, PaperWrite } from './paper-ledger.ts';

/** The uses of promotions that an order counts. */
export function usesOf(head: Redemption | undefined): Redemption['promotions'] {
  if (head === undefined || head.state === 'released' || head.state === 'expired') return [];
  return head.promotions.filter(({ givenBack }) => !givenBack);
}

/** Writes to one record as one write. */
export function merged(writes: readonly PaperWrite[]): PaperWrite[] {
  const [first] = writes;
  if (first === undefined) return [];
  return [{ ...first, fields: Object.assign({}, ...writes.map(({ fields }) => fields)) }];
}

/** What an order changes of what promotions and users count. */
export function usageWrites(
  partition: PaperPartition,
  userId: string,
  before: Redemption['promotions'],
  after: Redemption['promotions'],
): PaperWrite[] {
  const refs = new Set([...before, ...after].map(({ promotionRef }) => promotionRef));
  const account: Record<string, string> = {};
  const writes: PaperWrite[] = [...refs].map((ref) => {
    const of = (uses: Redemption['promotions']) => uses.filter(({ promotionRef }) => promotionRef === ref);
    const count = of(after).length - of(before).length;
    const money =
      of(after).reduce((sum, use) => sum + use.discountMinor, 0) -
      of(before).reduce((sum, use) => sum + use.discountMinor, 0);
    const usage = { target: 'usage', id: String(ref) } as const;
    const name = userUsesField(ref).toString('latin1');
    account[name] = String(counter(partition, { target: 'account', id: userId }, name) + count);
    const plus = (field: string, by: number): string => String(counter(partition, usage, field) + by);
    const fields = {
      [USAGE_FIELDS.uses.name]: plus(USAGE_FIELDS.uses.name, count),
      [USAGE_FIELDS.money.name]: plus(USAGE_FIELDS.money.name, money),
    };
    return { ...usage, fields };
  });
  return refs.size === 0 ? [] : [...writes, { target: 'account', id: userId, fields: account }];
}

/** The account's marks of which order has which coupon. */
export function holderWrites(
  { userId, orderId }: { readonly userId: string; readonly orderId: string },
  head: Redemption,
  state: string | undefined,
): PaperWrite[] {
  if (state === undefined || head.coupons.length === 0) return [];
  const value = state === 'unused' ? undefined : orderId;
  const marks = head.coupons.map(({ couponId }) => [
    ACCOUNT_FIELDS.holder.name(Buffer.from(couponId.slice(-32), 'hex').toString('latin1')),
    value,
  ]);
  return [{ target: 'account', id: userId, fields: Object.fromEntries(marks) }];
}
