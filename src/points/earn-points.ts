/** Earning: the points of an order that cannot fall through any more. */
import { earn } from '../domain/points.ts';
import { type PointsMonth, pointsMonthAt } from '../domain/points-month.ts';
import { decodeOrderPoints, encodeOrderPoints, type OrderPoints } from '../domain/points-order.ts';
import { DEFAULT_POINTS_RATE, pointsFor } from '../domain/points-rate.ts';
import { decodeRedemption } from '../domain/redemption.ts';
import { requireUser, sameErasure, userExists } from '../ledger/erased-user.ts';
import { unchanged } from '../ledger/held-fields.ts';
import { ORDER_FIELDS } from '../ledger/record-fields.ts';
import { accountOf, orderOf, type Step } from '../ledger/transaction.ts';
import { changeSteps, pointsOf, type RecordMap } from './account-points.ts';
import { type Decision, decide } from './decide.ts';
import { countPoints, type PointsPorts } from './points-ports.ts';

/** A completed order. */
export interface EarnRequest {
  readonly userId: string;
  readonly orderId: string;
  /** Paid for goods and shipping after discounts, in minor units, refunds not subtracted. */
  readonly paidMinor: number;
  /** ISO 4217. */
  readonly currency: string;
  /** What was given back already, in minor units, as far as the order's own record does not know. */
  readonly refundedMinor?: number;
  /** Why, for people. */
  readonly reason?: string;
}

/** What an order earned, now or before. */
export interface Earned {
  /** Points the order gave, bonus included, before any were taken back. */
  readonly points: number;
  /** How many of them are a bonus. */
  readonly bonus: number;
  readonly isReplay: boolean;
}

/**
 * Gives the points of an order, once: whatever a later call says, the first one counts. What was refunded before earns
 * nothing. Throws USER_NOT_FOUND for an erased user, and what `ledger.transact` throws.
 */
export async function earnPoints(
  ports: PointsPorts,
  request: EarnRequest,
  deadlineMs: number,
): Promise<Earned> {
  const { userId } = request;
  const on = orderOf(userId, request.orderId);
  const names = [accountOf(userId), on];
  return await decide(ports, deadlineMs, async (seen) => {
    const records = await ports.ledger.read(deadlineMs, (reads) => reads.records(names));
    const [account = new Map(), order = new Map()] = records;
    seen.push(unchanged(on, ORDER_FIELDS.points.bytes, order), sameErasure(userId, account));
    const before = order.get(ORDER_FIELDS.points.name);
    if (before !== undefined) return { answer: earnedBefore(before) };
    requireUser(account);
    return earning(ports, request, account, order);
  });
}

function earning(
  ports: PointsPorts,
  request: EarnRequest,
  account: RecordMap,
  order: RecordMap,
): Decision<Earned> {
  const { settings, ledger } = ports;
  const month = pointsMonthAt(ledger.nowMs(), settings.timeZone);
  const points = orderPoints(request, order, settings.rates[request.currency], month);
  const total = points.earned + points.bonus;
  return {
    plan: {
      // An order that earns nothing is noted all the same, so that another rate does not make it earn later.
      transaction: {
        event: total > 0 ? 'points_earned' : 'order_noted',
        opensNew: false,
        steps: [
          ...orderSteps(request, order, points, month),
          ...(total > 0 ? accountSteps(request, account, total, month) : []),
        ],
      },
      done: () => {
        countPoints(ports, 'earned', total);
        return { points: total, bonus: points.bonus, isReplay: false };
      },
    },
  };
}

function earnedBefore(value: Buffer): Earned {
  const { earned, bonus } = decodeOrderPoints(value);
  return { points: earned + bonus, bonus, isReplay: true };
}

/** What the order earns, given its record: the redemption there knows the bonus and what was refunded. */
function orderPoints(
  { paidMinor, currency, refundedMinor = 0 }: EarnRequest,
  order: RecordMap,
  rate: string = DEFAULT_POINTS_RATE,
  { month }: PointsMonth,
): OrderPoints {
  const head = order.get(ORDER_FIELDS.head.name);
  const redemption = head === undefined ? undefined : decodeRedemption(head);
  const known = redemption?.currency === currency ? redemption.refundedMinor : 0;
  const remaining = Math.max(0, paidMinor - Math.max(refundedMinor, known));
  const isWhollyBack = paidMinor > 0 && remaining === 0;
  const bonus = redemption?.state === 'committed' && !isWhollyBack ? redemption.bonusPoints : 0;
  const isUndone = redemption?.state === 'returned';
  return {
    paidMinor,
    currency,
    rate,
    earned: isUndone ? 0 : pointsFor(remaining, currency, rate),
    bonus,
    reversed: 0,
    lot: month,
  };
}

function orderSteps(
  { userId, orderId }: EarnRequest,
  order: RecordMap,
  points: OrderPoints,
  { fromMs, toMs }: PointsMonth,
): Step[] {
  const on = orderOf(userId, orderId);
  return [
    { kind: 'replay', on, field: ORDER_FIELDS.points.bytes },
    userExists(userId),
    { kind: 'within', fromMs, toMs },
    unchanged(on, ORDER_FIELDS.head.bytes, order),
    { kind: 'set', on, field: ORDER_FIELDS.points.bytes, value: Buffer.from(encodeOrderPoints(points)) },
  ];
}

function accountSteps(
  { userId, orderId, reason = '' }: EarnRequest,
  account: RecordMap,
  total: number,
  { month }: PointsMonth,
): Step[] {
  const change = earn(pointsOf(account), total, month);
  return changeSteps(userId, account, change, {
    type: 'earn',
    reason,
    referenceType: 'order',
    referenceId: orderId,
  });
}
