/**
 * Exchange: points for a coupon, both or neither. The whole decision is one transaction of the ledger, so that the refusals
 * come in one order whatever others do meanwhile: what speaks against the coupon first, the points last.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { liveDefinition } from '../definitions/live-definition.ts';
import { epochMs } from '../domain/epoch-ms.ts';
import { availablePoints, type PointsSpent, type PointsState, spend } from '../domain/points.ts';
import { pointsMonthAt } from '../domain/points-month.ts';
import { decodePointsSpending, encodePointsSpending } from '../domain/points-spending.ts';
import { Refusal } from '../domain/refusal.ts';
import { type Promotion, PromotionSchema } from '../gen/hongbao/v1/promotion_pb.ts';
import type { ClaimFacts } from '../ledger/claim-operation.ts';
import { couponFieldHex } from '../ledger/coupon-field.ts';
import { sameErasure } from '../ledger/erased-user.ts';
import { unchanged } from '../ledger/held-fields.ts';
import {
  afterSharing,
  type IssuedCoupon,
  type IssuePlan,
  type IssueRequest,
  planIssue,
  stateRefusal,
} from '../ledger/issue-coupon.ts';
import { couponAsRead, issuedBy } from '../ledger/issued-coupon.ts';
import { ACCOUNT_FIELDS, PROMOTION_FIELDS, spendingField } from '../ledger/record-fields.ts';
import { targetRefusal } from '../ledger/target-refusal.ts';
import { accountOf, promotionOf, type Step } from '../ledger/transaction.ts';
import { changeSteps, pointsOf, type RecordMap } from './account-points.ts';
import { type Decision, decide, type Stopped } from './decide.ts';
import { expirePoints } from './expire-points.ts';
import { knownFacts } from './known-facts.ts';
import { livingPoints } from './points-balance.ts';
import { countPoints, type PointsPorts } from './points-ports.ts';

/** An exchange. */
export interface ExchangeRequest {
  readonly promotionRef: number;
  readonly userId: string;
  /** The same request is the same coupon. */
  readonly requestId: string;
  /** What a trusted caller asserts about the user; undefined: nothing. What the shop told before counts besides. */
  readonly facts: ClaimFacts | undefined;
}

/** A coupon that was bought, now or before. */
export interface Exchanged {
  readonly coupon: IssuedCoupon;
  readonly pointsSpent: number;
  /** Points that can be spent now. */
  readonly pointsLeft: number;
}

/** Steps of an issue before which the target is judged: done before, erased, definition unchanged, window. */
const STEPS_BEFORE_TARGET = 4;

/** Never holds: ends a transaction that is only to tell what stands against it before. */
const NEVER: Step = { kind: 'within', fromMs: 0, toMs: 0 };

/** Everything an exchange is decided on. */
interface Look {
  readonly request: ExchangeRequest;
  readonly account: RecordMap;
  readonly promotion: RecordMap;
  readonly nowMs: number;
}

/**
 * Buys a coupon. Throws PROMOTION_NOT_FOUND, PROMOTION_NOT_EXCHANGEABLE, PROMOTION_INACTIVE, PROMOTION_NOT_STARTED,
 * PROMOTION_ENDED, USER_NOT_TARGETED, USER_LIMIT_REACHED, SOLD_OUT, WALLET_FULL and INSUFFICIENT_POINTS, in this order;
 * REQUEST_ID_REUSED, USER_NOT_FOUND (erased), and what `ledger.transact` throws.
 */
export async function exchangePoints(
  ports: PointsPorts,
  request: ExchangeRequest,
  deadlineMs: number,
): Promise<Exchanged> {
  return await decide<Exchanged>(ports, deadlineMs, async (seen) => {
    // The coupon is read first: who sees it then reads what it cost as well.
    const bought = await couponAsRead(ports.ledger, issueOf(request), deadlineMs);
    seen.push(bought.seen);
    const coupon = bought.value && issuedBy(issueOf(request), bought.value);
    const look = await lookAt(ports, request, deadlineMs, seen);
    if (coupon !== undefined) return { answer: boughtBefore(ports, look, coupon) };
    return await decideOn(ports, look, deadlineMs, seen);
  });
}

function fieldHexOf({ userId, requestId }: ExchangeRequest): string {
  return couponFieldHex('exchange', userId, requestId);
}

/** @param seen gets what the look is held to */
async function lookAt(
  { ledger }: PointsPorts,
  request: ExchangeRequest,
  deadlineMs: number,
  seen: Step[],
): Promise<Look> {
  const { promotionRef, userId } = request;
  const names = [accountOf(userId), promotionOf(promotionRef)];
  for (;;) {
    const records = await ledger.read(deadlineMs, (reads) => reads.records(names));
    const [account = new Map(), promotion = new Map()] = records;
    if (promotion.has(PROMOTION_FIELDS.definition.name)) {
      seen.push(...heldBy(request, account, promotion));
      return { request, account, promotion, nowMs: ledger.nowMs() };
    }
    await ledger.ensureDefined(promotionRef, deadlineMs);
  }
}

/** What a refusal or an earlier exchange is told by. */
function heldBy(request: ExchangeRequest, account: RecordMap, promotion: RecordMap): Step[] {
  const { userId, promotionRef } = request;
  const on = accountOf(userId);
  return [
    sameErasure(userId, account),
    unchanged(on, ACCOUNT_FIELDS.points.bytes, account),
    unchanged(on, spendingField(fieldHexOf(request)), account),
    unchanged(promotionOf(promotionRef), PROMOTION_FIELDS.definition.bytes, promotion),
  ];
}

async function decideOn(
  ports: PointsPorts,
  look: Look,
  deadlineMs: number,
  seen: Step[],
): Promise<Decision<Exchanged>> {
  const definition = definitionIn(look.promotion);
  const price = requirePrice(definition, look);
  const state = pointsOf(look.account);
  const living = livingPoints(state, ports.settings, look.nowMs);
  if (living !== state) {
    // What is over is ended by an entry of its own, then the exchange looks again.
    await expirePoints(ports, look.request.userId, deadlineMs);
    // What was read of the coupon still holds.
    seen.splice(1);
    return await decideOn(ports, await lookAt(ports, look.request, deadlineMs, seen), deadlineMs, seen);
  }
  const issue = planIssue(issueOf(look.request), look.promotion, look.nowMs);
  const { target } = liveDefinition(definition, new Uint8Array());
  const facts = knownFacts(look.request.facts, look.account);
  const untargeted = targetRefusal(target, facts, look.nowMs);
  if (untargeted !== undefined)
    return refusing(ports, look, issue, issue.steps.slice(0, STEPS_BEFORE_TARGET), untargeted);
  const spent = spend(state, price);
  if (spent === undefined) return refusing(ports, look, issue, issue.steps, tooFew(price, state));
  return buying(ports, look, issue, spent);
}

function definitionIn(promotion: RecordMap): Promotion {
  return fromBinary(PromotionSchema, promotion.get(PROMOTION_FIELDS.body.name) ?? new Uint8Array());
}

/** What one coupon costs. Throws the refusals of a promotion that sells none, in their order. */
function requirePrice({ reach, stock }: Promotion, { promotion, nowMs }: Look): number {
  const refusal = stateRefusal(promotion);
  if (refusal?.reason === 'PROMOTION_NOT_FOUND') throw refusal;
  if (reach?.way.case !== 'pointsExchange')
    throw new Refusal('PROMOTION_NOT_EXCHANGEABLE', 'The promotion cannot be bought with points');
  const startsMs = epochMs(stock?.claimStartsAt) ?? 0;
  if (refusal?.reason === 'PROMOTION_ENDED' && startsMs > nowMs)
    throw new Refusal('PROMOTION_NOT_STARTED', 'Claiming has not started');
  if (refusal !== undefined) throw refusal;
  return Number(reach.way.value.pointsRequired);
}

function issueOf({ promotionRef, userId, requestId }: ExchangeRequest): IssueRequest {
  return {
    promotionRef,
    userId,
    requestId,
    kind: 'exchange',
    source: 'points',
    event: 'exchanged',
    minded: 'window',
  };
}

function tooFew(needed: number, state: PointsState): Refusal {
  const seen = availablePoints(state);
  return new Refusal('INSUFFICIENT_POINTS', 'The user has too few points', {
    metadata: { needed: String(needed), seen: String(seen), short: String(needed - seen) },
  });
}

/** A transaction that changes nothing: it finds what the issue would have been refused for, and `refusal` otherwise. */
function refusing(
  ports: PointsPorts,
  look: Look,
  issue: IssuePlan,
  issueSteps: readonly Step[],
  refusal: Refusal,
): Decision<Exchanged> {
  const on = accountOf(look.request.userId);
  const steps = [...issueSteps, unchanged(on, ACCOUNT_FIELDS.points.bytes, look.account), NEVER];
  const isNever = (outcome: Stopped): boolean => outcome.step === steps.length - 1;
  return {
    plan: {
      transaction: { event: 'exchanged', opensNew: true, steps },
      done: () => {
        throw new Error('a transaction that cannot hold was carried out');
      },
      stopped: (outcome) => (isNever(outcome) ? refusal : refusalOf(ports, look, issue, outcome)),
    },
  };
}

/** Why the issue stopped there; undefined when it is to be planned again, also because the partition has got more stock. */
async function refusalOf(
  { ledger }: PointsPorts,
  { request }: Look,
  issue: IssuePlan,
  outcome: Stopped,
): Promise<Refusal | undefined> {
  return await afterSharing(ledger, issueOf(request), issue, issue.refusalAt(outcome));
}

function buying(ports: PointsPorts, look: Look, issue: IssuePlan, spent: PointsSpent): Decision<Exchanged> {
  const { request, account } = look;
  const { userId } = request;
  const pointsSpent = 0 - spent.points;
  const words = {
    type: 'spend',
    reason: '',
    referenceType: 'coupon',
    // The id of a coupon begins with the time of its issue, which nobody knows yet; it is the time of the entry.
    referenceId: fieldHexOf(request),
  } as const;
  const value = Buffer.from(encodePointsSpending({ points: pointsSpent, lots: spent.lots }));
  return {
    plan: {
      transaction: {
        event: 'exchanged',
        opensNew: true,
        steps: [
          ...issue.steps,
          ...monthSteps(ports, look),
          { kind: 'set', on: accountOf(userId), field: spendingField(fieldHexOf(request)), value },
          ...changeSteps(userId, account, spent, words),
        ],
      },
      done: (nowMs) => {
        countPoints(ports, 'spent', pointsSpent);
        return { coupon: issue.coupon(nowMs), pointsSpent, pointsLeft: availablePoints(spent.state) };
      },
      stopped: (outcome) => refusalOf(ports, look, issue, outcome),
    },
  };
}

/** Which points live depends on the month, where they end at all. */
function monthSteps({ settings }: PointsPorts, { nowMs }: Look): Step[] {
  if (settings.expiryMonths === 0) return [];
  const { fromMs, toMs } = pointsMonthAt(nowMs, settings.timeZone);
  return [{ kind: 'within', fromMs, toMs }];
}

/** The answer to a request that was carried out before, with the points as they are now. */
function boughtBefore({ settings }: PointsPorts, look: Look, coupon: IssuedCoupon): Exchanged {
  const { request, account, nowMs } = look;
  const spending = account.get(spendingField(fieldHexOf(request)).toString('latin1'));
  return {
    coupon,
    pointsSpent: spending === undefined ? 0 : decodePointsSpending(spending).points,
    pointsLeft: availablePoints(livingPoints(pointsOf(account), settings, nowMs)),
  };
}
