/** ClaimCoupon: one claim, in the path of a flash sale: generated codecs, no promise, no message object. */
import type { Refusal } from '../../domain/refusal.ts';
import { decodeClaimCouponRequest, violationsOfClaimCouponRequest } from '../../gen/hot/claim-requests.ts';
import { encodeClaimCouponResponse } from '../../gen/hot/claim-responses.ts';
import type { ClaimedCoupon } from '../../ledger/claim-operation.ts';
import type { HotHandler, HotReply } from '../binding.ts';
import type { ClaimAnswerListener, ClaimIntake } from '../claim-intake.ts';
import { claimItem } from '../claim-items.ts';
import { claimedMessage } from '../claimed-message.ts';
import { checkedRequest } from '../hot-request.ts';

const CODEC = { decode: decodeClaimCouponRequest, violationsOf: violationsOfClaimCouponRequest };

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
    const request = checkedRequest(CODEC, bytes);
    intake.submit(claimItem(request), context, new Answer(request.promotionId, reply));
  };
}
