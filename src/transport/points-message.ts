/** Points as messages of the contract. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type PointsEntry, type PointsEntryType, shownReferenceId } from '../domain/points-entry.ts';
import {
  type PointsBalanceSchema,
  type PointsTransactionSchema,
  PointsTransactionType,
} from '../gen/hongbao/v1/points_service_pb.ts';
import type { PointsBalance } from '../points/points-balance.ts';

/** What moved points, as the contract numbers it. */
export const POINTS_TYPES: Readonly<Record<PointsEntryType, PointsTransactionType>> = {
  earn: PointsTransactionType.EARN,
  spend: PointsTransactionType.SPEND,
  expire: PointsTransactionType.EXPIRE,
  reverse: PointsTransactionType.REVERSE,
  return: PointsTransactionType.RETURN,
  award: PointsTransactionType.AWARD,
};

const DESCRIPTIONS: Readonly<Record<PointsEntryType, { readonly en: string; readonly zh: string }>> = {
  earn: { en: 'Earned with an order', zh: '消费获得积分' },
  spend: { en: 'Exchanged for a coupon', zh: '积分兑换优惠券' },
  expire: { en: 'Expired', zh: '积分过期' },
  reverse: { en: 'Taken back after a refund', zh: '退款扣回积分' },
  return: { en: 'Returned for a coupon', zh: '退还兑换积分' },
  award: { en: 'Awarded for a test', zh: '测试赠送积分' },
};

/** A balance as a message. */
export function balanceMessage(balance: PointsBalance): MessageInitShape<typeof PointsBalanceSchema> {
  const { totalEarned, available, debt, expiringNext } = balance;
  return {
    totalEarned: BigInt(totalEarned),
    available: BigInt(available),
    debt: BigInt(debt),
    ...(expiringNext !== undefined && {
      expiringNext: {
        points: BigInt(expiringNext.points),
        expiresAt: timestampFromMs(expiringNext.expiresAtMs),
      },
    }),
  };
}

/** A transaction as a message. Its id is its number, which is the user's own. */
export function transactionMessage(entry: PointsEntry): MessageInitShape<typeof PointsTransactionSchema> {
  return {
    transactionId: String(entry.number),
    points: BigInt(entry.points),
    balanceAfter: BigInt(entry.balanceAfter),
    type: POINTS_TYPES[entry.type],
    reason: entry.reason,
    description: DESCRIPTIONS[entry.type],
    referenceType: entry.referenceType,
    referenceId: shownReferenceId(entry),
    occurredAt: timestampFromMs(entry.atMs),
  };
}
