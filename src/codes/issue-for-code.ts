/**
 * The coupon of a code. What was read of the promotion is what the ledger decides by: when it has changed in between, it is
 * read and judged again.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { liveDefinition } from '../definitions/live-definition.ts';
import { Refusal } from '../domain/refusal.ts';
import type { StoredFacts } from '../domain/user-facts.ts';
import { storedFacts } from '../events/stored-facts.ts';
import { PromotionSchema } from '../gen/hongbao/v1/promotion_pb.ts';
import type { ClaimFacts } from '../ledger/claim-operation.ts';
import { unchanged } from '../ledger/held-fields.ts';
import { type IssuedCoupon, type IssueRequest, issueCoupon, readPromotion } from '../ledger/issue-coupon.ts';
import { issuedBefore } from '../ledger/issued-coupon.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { PROMOTION_FIELDS } from '../ledger/record-fields.ts';
import { promotionOf } from '../ledger/transaction.ts';
import { refusalOfClaim } from './claim-check.ts';

/** Whose coupon, of which promotion; the request names the coupon together with the user. */
export interface CodeClaim {
  readonly promotionRef: number;
  readonly userId: string;
  readonly requestId: string;
}

/** What the caller says about the user; `judged` when an earlier step has found the user to be in the promotion's target. */
export type JudgedFacts = ClaimFacts | 'judged' | undefined;

function issueRequest(claim: CodeClaim): IssueRequest {
  return { ...claim, kind: 'code', source: 'code', event: 'code_claimed', minded: 'window' };
}

/** The coupon an earlier attempt of the claim made; undefined when there is none. Throws REQUEST_ID_REUSED and LEDGER_*. */
export async function couponOfCode(
  ledger: Ledger,
  claim: CodeClaim,
  deadlineMs: number,
): Promise<IssuedCoupon | undefined> {
  return await issuedBefore(ledger, issueRequest(claim), deadlineMs);
}

/**
 * Issues the coupon of a code, or answers with the one an earlier attempt issued. Throws the refusals of a claim, in their
 * order, and those of `ledger.transact`.
 */
export async function issueForCode(
  ledger: Ledger,
  claim: CodeClaim,
  facts: JudgedFacts,
  deadlineMs: number,
): Promise<IssuedCoupon> {
  return await issueCoupon(ledger, issueRequest(claim), deadlineMs, (record) =>
    refusalOf(ledger, record, claim.userId, facts, deadlineMs),
  );
}

/** Throws what a claim of this promotion would be refused with before stock and limits are asked. */
export async function requireOpenToCodes(
  ledger: Ledger,
  claim: Omit<CodeClaim, 'requestId'>,
  facts: JudgedFacts,
  deadlineMs: number,
): Promise<void> {
  const record = await readPromotion(ledger, claim, deadlineMs);
  const refusal = await refusalOf(ledger, record, claim.userId, facts, deadlineMs);
  if (refusal === undefined) return;
  const steps = [unchanged(promotionOf(claim.promotionRef), PROMOTION_FIELDS.definition.bytes, record)];
  const partition = ledger.partitionOf(claim.userId);
  const outcome = await ledger.transactAt(
    partition,
    { event: 'code_claimed', opensNew: false, steps },
    deadlineMs,
  );
  // What had changed meanwhile is judged when the coupon is issued.
  if (outcome.kind === 'done') throw refusal;
}

async function refusalOf(
  ledger: Ledger,
  record: ReadonlyMap<string, Buffer>,
  userId: string,
  facts: JudgedFacts,
  deadlineMs: number,
): Promise<Refusal | undefined> {
  const body = record.get(PROMOTION_FIELDS.body.name);
  if (body === undefined) return new Refusal('PROMOTION_NOT_FOUND', 'There is no such promotion');
  const promotion = fromBinary(PromotionSchema, body);
  const live = liveDefinition(promotion, body);
  const isOpenWay = promotion.reach?.way.case === 'code' || live.state === 'deleted';
  if (!isOpenWay) {
    return new Refusal('PROMOTION_NOT_CLAIMABLE', 'The promotion has another way in', {
      metadata: { promotion_id: live.id },
    });
  }
  if (facts === 'judged' || live.target.kind === 'everyone') {
    return refusalOfClaim({ ...live, target: { kind: 'everyone' } }, undefined, ledger.nowMs());
  }
  const known = await storedFacts(ledger, userId, deadlineMs);
  return refusalOfClaim(live, mergedFacts(facts, known), ledger.nowMs());
}

/** What a trusted caller says goes before what is stored. */
function mergedFacts(
  stated: ClaimFacts | undefined,
  stored: StoredFacts | undefined,
): ClaimFacts | undefined {
  if (stated === undefined && stored === undefined) return undefined;
  const registeredAtMs = stated?.registeredAtMs ?? stored?.registeredAtMs;
  const ordersCompleted = stated?.ordersCompleted ?? stored?.ordersCompleted;
  const tags = stated !== undefined && stated.tags.length > 0 ? stated.tags : stored?.tags;
  return {
    tags: tags ?? [],
    ...(registeredAtMs !== undefined && { registeredAtMs }),
    ...(ordersCompleted !== undefined && { ordersCompleted }),
  };
}
