/** Calls that bring coupons and points: claims, codes, exchanges, awards. */
import type { MessageShape } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { REASONS } from '../../../src/domain/refusal.ts';
import {
  type ClaimCodeResponseSchema,
  type ClaimCouponResponse,
  CouponService,
} from '../../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { type ExchangeCouponResponse, PointsService } from '../../../src/gen/hongbao/v1/points_service_pb.ts';
import { AcknowledgementLevel } from '../../../src/gen/hongbao/v1/promotion_pb.ts';
import { RefusalReason } from '../../../src/gen/hongbao/v1/refusal_pb.ts';
import type { Answer } from '../history/history.ts';
import { type Ask, type AskEnd, askOf, digestOf } from './ask.ts';
import { enumName } from './enum-name.ts';
import type { Wire } from './wire.ts';

/** One claim. */
export interface ClaimOrder {
  readonly userId: string;
  readonly promotionId: string;
  readonly requestId: string;
}

type IssuedResponse =
  | ClaimCouponResponse
  | MessageShape<typeof ClaimCodeResponseSchema>
  | ExchangeCouponResponse;

const LEVELS: Readonly<Record<number, 'fast' | 'durable' | 'ledger'>> = {
  [AcknowledgementLevel.FAST]: 'fast',
  [AcknowledgementLevel.DURABLE]: 'durable',
  [AcknowledgementLevel.LEDGER]: 'ledger',
};

function issuedAnswer(message: IssuedResponse): { answer: Answer; stable: unknown } {
  const { couponId, promotionId, promotionVersion, replayed, issuedAt } = message;
  const acknowledgement = LEVELS[message.acknowledgement];
  const issuedAtMs = issuedAt && timestampMs(issuedAt);
  const answer = {
    ...{ couponId, promotionId, promotionVersion, replayed },
    ...(acknowledgement !== undefined && { acknowledgement }),
    ...(issuedAtMs !== undefined && { issuedAtMs }),
  };
  return { answer, stable: [couponId, promotionId, promotionVersion, issuedAtMs] };
}

/** Claims a coupon. */
export function claimAsk({ userId, promotionId, requestId }: ClaimOrder): Ask {
  const head = { operation: 'claim', requestId, arguments: { userId, promotionId } } as const;
  return askOf(head, CouponService.method.claimCoupon, { userId, promotionId, requestId }, issuedAnswer);
}

/** Turns a code into a coupon. */
export function codeAsk(userId: string, code: string, requestId: string): Ask {
  const head = { operation: 'claimCode', requestId, arguments: { userId, code } } as const;
  return askOf(head, CouponService.method.claimCode, { userId, code, requestId }, issuedAnswer);
}

/** Buys a coupon with points. */
export function exchangeAsk({ userId, promotionId, requestId }: ClaimOrder): Ask {
  const head = { operation: 'exchange', requestId, arguments: { userId, promotionId } } as const;
  return askOf(head, PointsService.method.exchangeCoupon, { userId, promotionId, requestId }, (message) => {
    const { answer, stable } = issuedAnswer(message);
    const pointsSpent = Number(message.pointsSpent);
    return { answer: { ...answer, pointsSpent }, stable: [stable, pointsSpent] };
  });
}

/** Gives points for nothing; only in development. */
export function awardAsk(userId: string, points: number, requestId: string): Ask {
  const head = { operation: 'award', requestId, arguments: { userId, points } } as const;
  const request = { userId, points: BigInt(points), requestId, reason: 'chaos' };
  return askOf(head, PointsService.method.awardTestPoints, request, ({ replayed }) => ({
    answer: { replayed, pointsAwarded: points },
    stable: requestId,
  }));
}

/** Claims many at once; answers with the end of each, in the order asked. */
export async function sendBatch(
  wire: Wire,
  items: readonly ClaimOrder[],
  timeoutMs: number,
): Promise<AskEnd[]> {
  const end = await wire.call(CouponService.method.batchClaimCoupons, { items: [...items] }, timeoutMs);
  if (end.kind !== 'ok') return items.map(() => end);
  const { results } = end.message;
  return items.map((_item, index): AskEnd => {
    const outcome = results[index]?.outcome;
    if (outcome?.case === 'claimed') {
      const { answer, stable } = issuedAnswer(outcome.value);
      return { kind: 'ok', answer, digest: digestOf(stable) };
    }
    return refusedItem(outcome?.value?.reason ?? RefusalReason.UNSPECIFIED);
  });
}

/** An item carries no status; its reason tells whether the outcome is known. */
function refusedItem(value: RefusalReason): AskEnd {
  const reason = enumName(RefusalReason, value);
  const facts = Object.entries(REASONS).find(([name]) => name === reason)?.[1];
  const kind = facts?.outcome === 'noEffect' ? 'refused' : 'unknown';
  return { kind, reason, code: '' };
}
