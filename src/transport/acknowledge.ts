/** The level at which a coupon that a transaction issued (by a code, for points) is acknowledged. Claims have theirs from the ledger. */
import { Refusal } from '../domain/refusal.ts';
import { AcknowledgementLevel, type Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import { type ArchivedCoupons, UNARCHIVED_REASONS } from '../ledger/archived-coupons.ts';

/** What the level depends on. */
export interface AcknowledgePorts {
  readonly archived: ArchivedCoupons;
  readonly ledger: { readonly durability: { readonly isDurable: boolean } };
}

/**
 * Waits for the archive where the promotion asks for that, and tells the level reached. A ledger that does not keep its promise
 * refuses transactions, unless the operator wants it to go on with less. Throws DEADLINE_EXCEEDED, ARCHIVE_UNAVAILABLE or
 * LEDGER_UNAVAILABLE when the coupon is not known to be archived by then; the same request id finds it later.
 */
export async function acknowledge(
  { archived, ledger }: AcknowledgePorts,
  promotion: Pick<Promotion, 'acknowledgement'> | undefined,
  couponId: string,
  deadlineMs: number,
): Promise<AcknowledgementLevel> {
  if (promotion?.acknowledgement !== AcknowledgementLevel.LEDGER)
    return ledger.durability.isDurable ? AcknowledgementLevel.DURABLE : AcknowledgementLevel.FAST;
  const answer = await archived.coupon({ couponId, partition: 0, seq: undefined }, deadlineMs);
  if (answer === 'archived') return AcknowledgementLevel.LEDGER;
  throw new Refusal(UNARCHIVED_REASONS[answer], 'The coupon is not known to be archived yet');
}
