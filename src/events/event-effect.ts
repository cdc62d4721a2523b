/** What an event did, in the form of the contract. */
import { create } from '@bufbuild/protobuf';
import { REASONS, Refusal } from '../domain/refusal.ts';
import {
  type EventEffect,
  EventEffectKind,
  EventEffectSchema,
  type IngestEventRequest,
} from '../gen/hongbao/v1/event_service_pb.ts';
import { RefusalReason } from '../gen/hongbao/v1/refusal_pb.ts';

/** The events of the contract, by name. */
export type EventCase = Exclude<IngestEventRequest['event']['case'], undefined>;

/** What an effect may carry beside its kind and user. */
export interface EffectDetail {
  readonly promotionId?: string;
  readonly couponId?: string;
  readonly points?: number;
  readonly refusal?: Refusal;
}

/** An effect on a user. */
export function effectOf(
  kind: EventEffectKind,
  userId: string,
  { refusal, points = 0, ...detail }: EffectDetail = {},
): EventEffect {
  return create(EventEffectSchema, {
    kind,
    userId,
    ...detail,
    points: BigInt(points),
    ...(refusal && { refusalReason: RefusalReason[refusal.reason] }),
  });
}

/** Whether the effect was carried out. */
export function isDone({ refusalReason }: EventEffect): boolean {
  return refusalReason === RefusalReason.UNSPECIFIED;
}

/** The refusal that settles something for good; undefined when trying again may help. */
export function finalRefusal(error: unknown): Refusal | undefined {
  return error instanceof Refusal && REASONS[error.reason].outcome === 'noEffect' ? error : undefined;
}

/** What an event that was refused as a whole would have done first. */
export const FIRST_EFFECTS: Readonly<Record<EventCase, EventEffectKind>> = {
  userRegistered: EventEffectKind.FACTS_CHANGED,
  factsChanged: EventEffectKind.FACTS_CHANGED,
  orderCompleted: EventEffectKind.POINTS_EARNED,
  orderCancelled: EventEffectKind.COUPONS_RETURNED,
  orderRefunded: EventEffectKind.COUPONS_RETURNED,
  birthday: EventEffectKind.COUPON_ISSUED,
  referral: EventEffectKind.REFERRAL_NOTED,
  memberLevelReached: EventEffectKind.FACTS_CHANGED,
};
