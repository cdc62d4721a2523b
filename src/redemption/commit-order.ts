/** Uses what a reservation holds, for good: the order was paid. */
import { REDEMPTION_OFFSETS, type Redemption } from '../domain/redemption.ts';
import { Refusal } from '../domain/refusal.ts';
import { ORDER_FIELDS } from '../ledger/record-fields.ts';
import { orderOf, type Step } from '../ledger/transaction.ts';
import { afterSteps } from './after-steps.ts';
import { type ReadCoupon, readCoupon, takeCoupons, useHeldCoupons } from './coupon-steps.ts';
import { type EndingRequest, endOrder, type RedemptionAnswer } from './end-order.ts';
import { holdCodes } from './order-codes.ts';
import { dueMember, expectHead, headBytes, type KnownOrder } from './read-order.ts';
import type { RedemptionPorts } from './redemption-ports.ts';
import { requestsWith } from './request-ids.ts';
import { afterSharingUses, readSharedUsage, refsOf } from './shared-usage.ts';
import { countUses, type UsagePlan, type Use, useLimits } from './usage-steps.ts';

/**
 * Commits a reservation. One past its time but not swept yet is as good as any; one that has expired is done if everything is
 * still free, whatever the dates of its coupons, since they were held in time. Throws ORDER_NOT_FOUND, RESERVATION_NOT_FOUND,
 * RESERVATION_EXPIRED, RESERVATION_RELEASED, REQUEST_ID_REUSED and those of the ledger and of Postgres.
 */
export async function commitOrder(
  ports: RedemptionPorts,
  request: EndingRequest,
  deadlineMs: number,
): Promise<RedemptionAnswer> {
  return await endOrder(
    ports,
    request,
    {
      call: 'commit',
      isDone: isCommitted,
      attempt: (order) => {
        const attempt = order.redemption.state === 'reserved' ? commitHeld : commitExpired;
        return attempt(ports, order, request, deadlineMs);
      },
    },
    deadlineMs,
  );
}

function isCommitted({ state }: Redemption): boolean {
  switch (state) {
    case 'reserved':
    case 'expired':
      return false;
    case 'committed':
    case 'returned':
      return true;
    case 'released':
      throw new Refusal('RESERVATION_RELEASED', 'The reservation was released before');
  }
}

type Attempt = (
  ports: RedemptionPorts,
  order: KnownOrder,
  request: EndingRequest,
  deadlineMs: number,
) => Promise<KnownOrder | undefined>;

const commitHeld: Attempt = async (ports, order, { requestId }, deadlineMs) => {
  const { userId, orderId, redemption } = order;
  const coupons = redemption.coupons.flatMap(({ couponId }) => readCoupon(order, couponId) ?? []);
  const head = committedHead(redemption, requestId);
  const steps = [
    expectHead(order),
    ...useHeldCoupons(userId, orderId, coupons),
    ...writeCommitted(order, head),
  ];
  const outcome = await ports.ledger.transact({ event: 'committed', opensNew: false, steps }, deadlineMs);
  return outcome.kind === 'done' ? afterSteps(order, steps, outcome.nowMs, head) : undefined;
};

function committedHead(redemption: Redemption, requestId: string): Redemption {
  return {
    ...redemption,
    state: 'committed',
    requests: requestsWith(redemption.requests, requestId, 'commit'),
  };
}

function writeCommitted({ userId, orderId }: KnownOrder, head: Redemption): Step[] {
  const value = headBytes(head);
  const times = [{ offset: REDEMPTION_OFFSETS.committedAt, plusMs: 0 }];
  return [
    { kind: 'set', on: orderOf(userId, orderId), field: ORDER_FIELDS.head.bytes, value, times },
    { kind: 'due', member: dueMember(userId, orderId), afterMs: undefined },
  ];
}

/** Takes everything anew, as if it had never been let go, and uses it in the same transaction. */
const commitExpired: Attempt = async (ports, order, { requestId }, deadlineMs) => {
  const { userId, orderId, redemption } = order;
  const coupons = freeCoupons(order);
  const uses = usesAgain(ports, order);
  const shared = await readSharedUsage(ports.ledger, userId, () => refsOf(uses), deadlineMs);
  const usage = countUses(uses, userId, ports.ledger.nowMs(), shared);
  await holdCodes(ports, order, deadlineMs, 0).catch((error: unknown) => {
    throw error instanceof Refusal && error.reason === 'CODE_ALREADY_USED' ? expired(order, error) : error;
  });
  const head = committedHead(takenAgain(redemption, usage), requestId);
  const before: Step[] = [expectHead(order), { kind: 'within', fromMs: usage.fromMs, toMs: usage.toMs }];
  const steps = [
    ...before,
    ...usage.steps,
    ...takeCoupons(userId, orderId, coupons, 'used'),
    ...writeCommitted(order, head),
  ];
  const outcome = await ports.ledger.transact({ event: 'committed', opensNew: false, steps }, deadlineMs);
  if (outcome.kind === 'out_of_bounds') {
    const found = usage.exhaustedAt(outcome.step - before.length, outcome.value);
    const refused = found && (await afterSharingUses(ports.ledger, userId, found));
    if (found !== undefined && refused === undefined) return undefined;
    await ports.codes?.free(userId, orderId, deadlineMs);
    throw expired(order, refused?.refusal);
  }
  return outcome.kind === 'done' ? afterSteps(order, steps, outcome.nowMs, head) : undefined;
};

function usesAgain({ promotions }: RedemptionPorts, { redemption }: KnownOrder): Use[] {
  return redemption.promotions.map(({ promotionId, promotionRef, discountMinor }) => ({
    promotionId,
    promotionRef,
    discountMinor,
    limits: useLimits(promotions.byId(promotionId)?.limits),
  }));
}

/** The order with everything taken again; it ended no more. */
function takenAgain({ endedAtMs: _, ...redemption }: Redemption, usage: UsagePlan): Redemption {
  const promotions = redemption.promotions.map((promotion, index) => ({
    ...promotion,
    periods: usage.periods[index] ?? [],
    givenBack: false,
  }));
  return { ...redemption, promotions };
}

/** The coupons of an expired order. Throws RESERVATION_EXPIRED when one of them is not free. */
function freeCoupons(order: KnownOrder): ReadCoupon[] {
  return order.redemption.coupons.map(({ couponId }) => {
    const coupon = readCoupon(order, couponId);
    if (coupon?.value.state !== 'unused' || coupon.orderId !== undefined)
      throw expired(order, undefined, { coupon_id: couponId });
    return coupon;
  });
}

function expired(
  { redemption }: KnownOrder,
  cause: Refusal | undefined,
  what: Readonly<Record<string, string>> = {},
): Refusal {
  const metadata = {
    ...cause?.detail.metadata,
    ...what,
    ...(cause && { cause: cause.reason }),
    expired_at: new Date(redemption.dueAtMs).toISOString(),
  };
  return new Refusal('RESERVATION_EXPIRED', 'The reservation expired, and what it held is no longer free', {
    metadata,
    cause,
  });
}
