/** Many claims of one message: each goes its own way, the results come back together and in order. */
import type { Refusal } from '../domain/refusal.ts';
import type { ClaimCouponRequest } from '../gen/hot/claim-requests.ts';
import type { ClaimResult } from '../gen/hot/claim-responses.ts';
import type { ClaimedCoupon } from '../ledger/claim-operation.ts';
import type { CallContext } from './call-context.ts';
import { claimFacts } from './claim-facts.ts';
import type { ClaimAnswerListener, ClaimIntake, ClaimItem } from './claim-intake.ts';
import { claimedResult, refusedResult } from './claimed-message.ts';

/** A decoded and checked request as the intake takes it. */
export function claimItem(request: ClaimCouponRequest): ClaimItem {
  const { promotionId, userId, requestId, facts } = request;
  return { promotionId, userId, requestId, facts: claimFacts(facts) };
}

/** Where the results of one message gather. */
class Gathering {
  readonly results: ClaimResult[];
  private open: number;
  private readonly done: (results: readonly ClaimResult[]) => void;

  constructor(items: number, done: (results: readonly ClaimResult[]) => void) {
    this.results = new Array(items);
    this.open = items;
    this.done = done;
  }

  set(index: number, result: ClaimResult): void {
    this.results[index] = result;
    this.open -= 1;
    if (this.open === 0) this.done(this.results);
  }
}

/** One item's place in the gathering. */
class Place implements ClaimAnswerListener {
  private readonly gathering: Gathering;
  private readonly index: number;
  private readonly promotionId: string;

  constructor(gathering: Gathering, index: number, promotionId: string) {
    this.gathering = gathering;
    this.index = index;
    this.promotionId = promotionId;
  }

  claimed(coupon: ClaimedCoupon): void {
    this.gathering.set(this.index, claimedResult(coupon, this.promotionId));
  }

  refused(refusal: Refusal): void {
    this.gathering.set(this.index, refusedResult(refusal));
  }
}

/** Claims every item; `done` hears once, with a result per item in order. There is at least one item. */
export function claimItems(
  intake: ClaimIntake,
  items: readonly ClaimCouponRequest[],
  context: CallContext,
  done: (results: readonly ClaimResult[]) => void,
): void {
  const gathering = new Gathering(items.length, done);
  for (const [index, item] of items.entries()) {
    intake.submit(claimItem(item), context, new Place(gathering, index, item.promotionId));
  }
}
