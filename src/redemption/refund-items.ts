/**
 * RefundItems: units of a committed order go back. Which money, gifts, coupons and points move is computed from the order
 * and, where the policy asks for it, from the decision the order was reserved by; then everything is written at once.
 */
import { invalidRequest } from '../domain/invalid-request.ts';
import type { Redemption } from '../domain/redemption.ts';
import {
  needsJudgement,
  planRefund,
  type RefundHistory,
  type RefundPlan,
  type RefundRequest,
  type Rest,
  restAfter,
} from '../domain/refund.ts';
import { historyOf, type RefundRecord, refundsOf } from '../domain/refund-record.ts';
import { requireUser } from '../ledger/erased-user.ts';
import { ORDER_FIELDS } from '../ledger/record-fields.ts';
import type { Step } from '../ledger/transaction.ts';
import { type Decision, decide, type Plan } from '../points/decide.ts';
import { type PointsReversal, planPointsReversal } from '../points/plan-reversal.ts';
import { afterSteps } from './after-steps.ts';
import { seenOf } from './confirm-order.ts';
import { type KnownOrder, type OrderRecords, requireOrder } from './read-order.ts';
import { type DecideAgain, judgeRest } from './refund-items-judge.ts';
import {
  countReturns,
  digestOf,
  ended,
  type ReturnPorts,
  readOrderOfAnyAge,
  recordBefore,
  requireCommitted,
  walletFull,
  writeSteps,
} from './return-coupons.ts';
import { type GiveBackPlan, planGiveBack } from './return-coupons-plan.ts';
import { ReturnPolicies } from './return-coupons-policy.ts';

/** What refunds need from outside. */
export interface RefundPorts extends ReturnPorts {
  readonly decideAgain: DecideAgain;
}

/** What is to go back. */
export interface RefundItemsRequest extends RefundRequest {
  readonly userId: string;
  readonly orderId: string;
  /** The same request is the same refund. */
  readonly requestId: string;
  /** For people; at most 500 characters. */
  readonly reason: string;
  /** Only say what would happen. */
  readonly isDryRun: boolean;
}

/** A refund that was made, now or by an earlier attempt; or that would be made. */
export interface Refunded {
  /** For a dry run without id and moment. */
  readonly record: RefundRecord;
  /** The order as it is now. */
  readonly order: KnownOrder;
  readonly isReplay: boolean;
}

/** Everything a refund does. */
interface Settlement {
  readonly order: KnownOrder;
  readonly plan: RefundPlan;
  readonly back: GiveBackPlan | undefined;
  readonly reversal: PointsReversal;
}

/**
 * Refunds units, or says what that would do. Throws INVALID_REQUEST when nothing is asked for or a line twice;
 * ORDER_NOT_FOUND; NOTHING_TO_RETURN, RESERVATION_RELEASED or RESERVATION_EXPIRED when the order was never committed;
 * LINE_NOT_FOUND; QUANTITY_ABOVE_REMAINING; REQUEST_ID_REUSED; WALLET_FULL; USER_NOT_FOUND for an erased user; and what the
 * ledger, the look-up of promotions and the evaluation throw.
 */
export async function refundItems(
  ports: RefundPorts,
  request: RefundItemsRequest,
  deadlineMs: number,
): Promise<Refunded> {
  requireSomething(request);
  const { userId, orderId, requestId } = request;
  const digest = digestOfRefund(request);
  const look = async (seen: Step[]): Promise<Decision<Refunded>> => {
    const records = await readOrderOfAnyAge(ports, userId, orderId, deadlineMs);
    // What a dry run tells promises nothing.
    if (!request.isDryRun) seen.push(...seenOf(records));
    const record = recordBefore(records, requestId, digest);
    if (record?.kind === 'refund')
      return { answer: { record, order: requireOrder(records), isReplay: true } };
    const order = checked(records);
    const settlement = await settle(ports, request, order, deadlineMs);
    if (!request.isDryRun) return { plan: writing(ports, request, digest, settlement) };
    const dryRun = { ...recordOf(request, digest, settlement), refundId: '' };
    return { answer: { record: dryRun, order, isReplay: false } };
  };
  const done = await decide(ports, deadlineMs, look);
  if (!done.isReplay && !request.isDryRun) count(ports, done.record);
  return done;
}

function requireSomething({ lines, shipping }: RefundItemsRequest): void {
  if (lines.length === 0 && !shipping)
    throw invalidRequest([{ field: 'lines', description: 'must name a line unless shipping goes back' }]);
  const seen = new Set<string>();
  for (const [index, { lineId }] of lines.entries()) {
    if (seen.has(lineId))
      throw invalidRequest([{ field: `lines[${index}].line_id`, description: 'names a line again' }]);
    seen.add(lineId);
  }
}

function digestOfRefund({ lines, shipping, policy, reason }: RefundItemsRequest): string {
  const units = lines.map(({ lineId, quantity }) => [lineId, quantity] as const);
  return digestOf(['refund', units.toSorted(byLine), shipping, policy, reason]);
}

function byLine([left]: readonly [string, number], [right]: readonly [string, number]): number {
  return left < right ? -1 : Number(left > right);
}

/** The order, which was committed; money of one that was returned since can still go back. */
function checked(records: OrderRecords): KnownOrder {
  const order = requireOrder(records);
  requireUser(records.account);
  requireCommitted(order.redemption);
  return order;
}

/** Computes everything the refund does. */
async function settle(
  ports: RefundPorts,
  request: RefundItemsRequest,
  order: KnownOrder,
  deadlineMs: number,
): Promise<Settlement> {
  const history = historyOf(refundsOf(order.order));
  const rest = restAfter(order.redemption, request, history);
  const plan = await planMoney(ports, request, order, rest, history, deadlineMs);
  const isOver = plan.isWhole && order.redemption.state === 'committed';
  const back = isOver ? await planBack(ports, order, deadlineMs) : undefined;
  return { order, plan, back, reversal: planPoints(request, order, plan) };
}

async function planMoney(
  { decideAgain }: RefundPorts,
  request: RefundItemsRequest,
  { redemption, order }: KnownOrder,
  rest: Rest,
  history: RefundHistory,
  deadlineMs: number,
): Promise<RefundPlan> {
  const { policy } = request;
  if (policy === 'keep' || !needsJudgement(request, rest))
    return planRefund(redemption, request, rest, history);
  const judgement = await judgeRest(
    decideAgain,
    order.get(ORDER_FIELDS.decision.name),
    policy,
    rest,
    deadlineMs,
  );
  return planRefund(redemption, request, rest, history, judgement);
}

/** An order of which nothing is kept ends like one that is returned. */
async function planBack(
  { ledger, promotions }: RefundPorts,
  order: KnownOrder,
  deadlineMs: number,
): Promise<GiveBackPlan> {
  const names = [...order.redemption.promotions, ...order.redemption.coupons];
  const policies = await ReturnPolicies.read(promotions, names, deadlineMs);
  return planGiveBack(order, 'all', policies, ledger.nowMs());
}

/** Points follow what remains paid; an order that was returned has lost all of them. */
function planPoints(
  { userId, orderId, reason }: RefundItemsRequest,
  { account, order, redemption }: KnownOrder,
  { remainingPayableMinor, isWhole }: RefundPlan,
): PointsReversal {
  const wasReturned = redemption.state === 'returned';
  return planPointsReversal({
    account,
    order,
    userId,
    orderId,
    remainingPaidMinor: wasReturned ? 0 : remainingPayableMinor,
    isWhollyBack: wasReturned || isWhole,
    reason,
  });
}

function recordOf(
  { requestId, policy, shipping, reason }: RefundItemsRequest,
  digest: string,
  { plan, back, reversal }: Settlement,
): RefundRecord {
  return {
    kind: 'refund',
    atMs: 0,
    digest,
    refundId: requestId,
    policy,
    reason,
    lines: plan.lines,
    shipping,
    shippingMinor: plan.shippingMinor,
    refundMinor: plan.refundMinor,
    clawBackMinor: plan.clawBackMinor,
    giftsToReturn: plan.giftsToReturn,
    coupons: back?.coupons ?? [],
    pointsReversed: reversal.points,
    pointsDebt: reversal.debt,
    refundedTotalMinor: plan.refundedTotalMinor,
    remainingPayableMinor: plan.remainingPayableMinor,
  };
}

function writing(
  { ledger }: RefundPorts,
  request: RefundItemsRequest,
  digest: string,
  settlement: Settlement,
): Plan<Refunded> {
  const { order, plan, back, reversal } = settlement;
  const record = recordOf(request, digest, settlement);
  const refunded: Redemption = { ...order.redemption, ...plan.after };
  const after =
    back === undefined ? refunded : { ...ended(refunded, ledger.nowMs(), request.reason), ...back.after };
  const given = [...(back?.steps ?? []), ...reversal.steps];
  const steps = writeSteps(order, request.requestId, record, after, given);
  return {
    transaction: { event: 'refunded', opensNew: false, steps },
    done: (atMs) => ({
      record: { ...record, atMs },
      order: afterSteps(order, steps, atMs),
      isReplay: false,
    }),
    stopped: (outcome) => walletFull(steps, outcome),
  };
}

function count(ports: RefundPorts, record: RefundRecord): void {
  ports.metrics.refunds.child(record.policy).value += 1;
  countReturns(ports, record);
}
