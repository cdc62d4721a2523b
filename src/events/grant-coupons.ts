/** Issuing the coupons that promotions give on an occasion. */
import { liveDefinition } from '../definitions/live-definition.ts';
import type { CouponSource } from '../domain/coupon.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { StoredFacts } from '../domain/user-facts.ts';
import { type EventEffect, EventEffectKind } from '../gen/hongbao/v1/event_service_pb.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import { type IssueRequest, issueCoupon, stateRefusal } from '../ledger/issue-coupon.ts';
import { targetRefusal } from '../ledger/target-refusal.ts';
import { effectOf, finalRefusal } from './event-effect.ts';
import type { EventPorts } from './event-ports.ts';
import type { GrantingPromotion } from './occasions.ts';
import { requestIdOf } from './request-id.ts';
import { claimFactsOf, storedFacts } from './stored-facts.ts';

/** The audience of a promotion does not depend on its bytes. */
const NO_BODY = new Uint8Array();

/** An occasion on which a user gets coupons. */
export interface Occasion {
  readonly userId: string;
  readonly promotions: readonly GrantingPromotion[];
  readonly source: CouponSource;
  /** Names the occasion: with the promotion it names the coupon, so the same occasion gives it once. */
  readonly key: readonly (string | number)[];
  /** Judge the user as he was before the order that is the occasion. */
  readonly isBeforeFirstOrder?: boolean;
}

/** Gives the coupons of an occasion; a coupon that is refused is an effect too. Throws when trying again may help. */
export async function grantCoupons(
  ports: Pick<EventPorts, 'ledger' | 'nowMs'>,
  occasion: Occasion,
  deadlineMs: number,
): Promise<EventEffect[]> {
  const facts = await factsFor(ports, occasion, deadlineMs);
  const effects: EventEffect[] = [];
  for (const granting of occasion.promotions)
    effects.push(await grant(ports, occasion, granting, facts, deadlineMs));
  return effects;
}

/** Facts are read only where a promotion asks for them. */
async function factsFor(
  { ledger }: Pick<EventPorts, 'ledger'>,
  { userId, promotions, isBeforeFirstOrder = false }: Occasion,
  deadlineMs: number,
): Promise<StoredFacts | undefined> {
  if (!promotions.some(({ promotion }) => isTargeted(promotion))) return undefined;
  const facts = await storedFacts(ledger, userId, deadlineMs);
  return facts && isBeforeFirstOrder ? { ...facts, ordersCompleted: 0 } : facts;
}

async function grant(
  ports: Pick<EventPorts, 'ledger' | 'nowMs'>,
  { userId, source, key }: Occasion,
  { ref, promotion }: GrantingPromotion,
  facts: StoredFacts | undefined,
  deadlineMs: number,
): Promise<EventEffect> {
  const request: IssueRequest = {
    promotionRef: ref,
    userId,
    requestId: requestIdOf(...key, ref),
    kind: 'event',
    source,
    event: 'event_granted',
    minded: 'window',
  };
  const { promotionId } = promotion;
  try {
    const untargeted = audienceRefusal(promotion, facts, ports.nowMs());
    // A user who is no longer meant keeps the coupon that an earlier attempt gave him.
    const { couponId } = await issueCoupon(
      ports.ledger,
      request,
      deadlineMs,
      (record) => untargeted ?? stateRefusal(record),
    );
    return effectOf(EventEffectKind.COUPON_ISSUED, userId, { promotionId, couponId });
  } catch (error) {
    const refusal = finalRefusal(error);
    if (refusal === undefined) throw error;
    return effectOf(EventEffectKind.COUPON_ISSUED, userId, { promotionId, refusal });
  }
}

/** Whether a promotion is for some users only. */
export function isTargeted({ target }: Promotion): boolean {
  return target?.audience.case === 'newUsers' || target?.audience.case === 'taggedUsers';
}

/** Why the user is not among those the promotion is for; undefined when he is. */
function audienceRefusal(
  promotion: Promotion,
  facts: StoredFacts | undefined,
  nowMs: number,
): Refusal | undefined {
  if (!isTargeted(promotion)) return undefined;
  const { target } = liveDefinition(promotion, NO_BODY);
  return targetRefusal(target, facts && claimFactsOf(facts), nowMs);
}
