/** ClaimCoupon: one claim, in the path of a flash sale: generated codecs, no promise, no message object. */
import { Refusal } from '../../domain/refusal.ts';
import {
  type ClaimCouponRequest,
  decodeClaimCouponRequest,
  encodeClaimCouponResponse,
  violationsOfClaimCouponRequest,
} from '../../gen/hot/coupon-service.ts';
import type { ClaimedCoupon } from '../../ledger/claim-operation.ts';
import type { HotHandler, HotReply } from '../binding.ts';
import { claimFacts } from '../claim-facts.ts';
import type { ClaimAnswerListener, ClaimIntake, ClaimItem } from '../claim-intake.ts';
import { claimedMessage } from '../claimed-message.ts';

/** A decoded and checked request as the intake takes it. */
export function claimItem(request: ClaimCouponRequest): ClaimItem {
  const facts = claimFacts(request.facts);
  return {
    promotionId: request.promotionId,
    userId: request.userId,
    requestId: request.requestId,
    ...(facts !== undefined && { facts }),
  };
}

class Answer implements ClaimAnswerListener {
  private readonly promotionId: string;
  private readonly reply: HotReply;

  constructor(promotionId: string, reply: HotReply) {
    this.promotionId = promotionId;
    this.reply = reply;
  }

  claimed(coupon: ClaimedCoupon): void {
    this.reply(encodeClaimCouponResponse(claimedMessage(coupon, this.promotionId)));
  }

  refused(refusal: Refusal): void {
    this.reply(refusal);
  }
}

/** Makes the handler. */
export function claimCoupon(intake: ClaimIntake): HotHandler {
  return (bytes, context, reply) => {
    const request = decodeClaimCouponRequest(bytes);
    const violations = violationsOfClaimCouponRequest(request);
    if (violations.length > 0)
      reply(new Refusal('INVALID_REQUEST', 'The request is not valid', { violations }));
    else intake.submit(claimItem(request), context, new Answer(request.promotionId, reply));
  };
}
