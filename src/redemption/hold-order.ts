/** Reserves what an order uses, or uses it at once: all of it or nothing, decided on the final cart. */
import { Refusal } from '../domain/refusal.ts';
import { noSuchUser, requireUser } from '../ledger/erased-user.ts';
import { isOutdated } from '../ledger/still-so.ts';
import type { Outcome } from '../ledger/transaction.ts';
import { afterSteps } from './after-steps.ts';
import { isConfirmed, seenOf } from './confirm-order.ts';
import { readCoupon } from './coupon-steps.ts';
import { type AskedOrder, decideOrder } from './decide-order.ts';
import type { RedemptionAnswer } from './end-order.ts';
import { isOverdue, lapseOrder } from './let-go.ts';
import { freeCodesAfter, holdCodes, settleCodes } from './order-codes.ts';
import { digestOf, type OrderRequest, questionOf } from './order-request.ts';
import { type HoldPlan, planHold, USER_STEP, usesOf } from './plan-hold.ts';
import { type OrderRecords, readOrder, requireOrder } from './read-order.ts';
import type { Caller, ExhaustedLimit, RedemptionPorts } from './redemption-ports.ts';
import { hasReserved } from './request-ids.ts';
import { afterSharingUses, readSharedUsage, refsOf } from './shared-usage.ts';
import type { ExhaustedUse } from './usage-steps.ts';

/**
 * Reserves or uses, or answers with what an earlier call of the same request made. Throws ORDER_ALREADY_RESERVED,
 * ORDER_ALREADY_COMMITTED, REQUEST_ID_REUSED, USER_NOT_FOUND, COUPON_NOT_APPLICABLE and its relatives, CART_CHANGED,
 * USES_EXHAUSTED, USER_USES_EXHAUSTED, BUDGET_EXHAUSTED, CODE_ALREADY_USED, and those of the ledger, of evaluation and of
 * Postgres.
 */
export async function holdOrder(
  ports: RedemptionPorts,
  order: OrderRequest,
  caller: Caller,
): Promise<RedemptionAnswer> {
  const attempt = new HoldAttempt(ports, order, caller);
  try {
    return await attempt.run();
  } catch (error) {
    if (attempt.mayHoldCodes) await freeCodesAfter(error, ports, order, caller.deadlineMs);
    throw error;
  }
}

/** One call on its way; it decides again while what it decided on changes. */
class HoldAttempt {
  mayHoldCodes = false;
  private readonly ports: RedemptionPorts;
  private readonly order: OrderRequest;
  private readonly caller: Caller;
  private readonly asked: AskedOrder;
  private readonly digest: string;
  /** Promotions found to have run out, and what was counted of each then. */
  private readonly exhausted = new Map<number, number>();

  constructor(ports: RedemptionPorts, order: OrderRequest, caller: Caller) {
    this.ports = ports;
    this.order = order;
    this.caller = caller;
    this.asked = { order, question: questionOf(order) };
    this.digest = digestOf(order, this.asked.question);
  }

  /** Ends by the deadline, which the ledger and the evaluation mind. */
  async run(): Promise<RedemptionAnswer> {
    for (;;) {
      const { userId, orderId } = this.order;
      const records = await readOrder(this.ports.ledger, userId, orderId, this.caller.deadlineMs);
      const answer = await this.answerOrLookAgain(records);
      if (answer !== undefined) return answer;
    }
  }

  /**
   * A refusal counts for the order and the coupons as they were read: a repeat of this very call may have made the order
   * meanwhile, or another reservation may have let go of a coupon. It is given once that is as safe as a write.
   */
  private async answerOrLookAgain(records: OrderRecords): Promise<RedemptionAnswer | undefined> {
    try {
      return (await this.replay(records)) ?? (await this.tryHold(records));
    } catch (error) {
      const { ledger } = this.ports;
      const seen = seenOf(records, this.order.couponIds);
      if (await isOutdated(error, ledger, seen, this.caller.deadlineMs)) return undefined;
      throw error;
    }
  }

  private async replay(records: OrderRecords): Promise<RedemptionAnswer | undefined> {
    const { redemption } = records;
    if (redemption === undefined || !hasReserved(redemption, this.order.requestId, this.digest))
      return undefined;
    const order = requireOrder(records);
    if (!(await isConfirmed(this.ports.ledger, records, this.caller.deadlineMs))) return await this.run();
    await settleCodes(this.ports, order, this.caller.deadlineMs);
    return { order, replayed: true };
  }

  private async tryHold(records: OrderRecords): Promise<RedemptionAnswer | undefined> {
    requireUser(records.account);
    if (await this.freeOverdue(records)) return undefined;
    requireFree(records);
    const { ports, order, caller } = this;
    const nowMs = ports.ledger.nowMs();
    const decision = await decideOrder(ports, this.asked, records, caller, nowMs);
    const digested = { ...order, digest: this.digest };
    const refs = (): readonly number[] => refsOf(usesOf(records, decision, ports.promotions));
    const shared = await readSharedUsage(ports.ledger, order.userId, refs, caller.deadlineMs);
    const plan = planHold(records, digested, decision, ports.promotions, nowMs, shared);
    await this.holdCodes(plan);
    const outcome = await ports.ledger.transact(plan.transaction, caller.deadlineMs);
    if (outcome.kind !== 'done') {
      await this.judge(outcome, plan);
      return undefined;
    }
    const held = afterSteps(records, plan.transaction.steps, outcome.nowMs, plan.redemption);
    await this.keepCodes(plan);
    await settleCodes(ports, held, caller.deadlineMs);
    return { order: held, replayed: false };
  }

  /** Holds of this user that are past their time stand in nobody's way; true when the order has to be read again. */
  private async freeOverdue(records: OrderRecords): Promise<boolean> {
    const { ports, order, caller } = this;
    const isOwnOverdue =
      records.redemption !== undefined && isOverdue(records.redemption, ports.ledger.nowMs());
    const holders = order.couponIds.flatMap((couponId) => {
      const coupon = readCoupon(records, couponId);
      return coupon?.value.state === 'reserved' ? (coupon.orderId ?? []) : [];
    });
    const orders = new Set([
      ...holders.filter((id) => id !== order.orderId),
      ...(isOwnOverdue ? [order.orderId] : []),
    ]);
    const freed = await Promise.all(
      [...orders].map((orderId) => lapseOrder(ports, order.userId, orderId, caller.deadlineMs)),
    );
    // Somebody else may have been faster with the order's own one: what was read of it counts no more either way.
    return isOwnOverdue || freed.includes(true);
  }

  private async holdCodes({ redemption }: HoldPlan): Promise<void> {
    const { ports, order, caller } = this;
    this.mayHoldCodes ||= redemption.promotions.some(({ code }) => code !== undefined);
    await holdCodes(ports, { ...order, redemption }, caller.deadlineMs, order.holdMs ?? 0);
  }

  /**
   * Once the order is written its codes are held again: another attempt for the same order, refused meanwhile, may have
   * freed them.
   */
  private async keepCodes({ redemption }: HoldPlan): Promise<void> {
    const { ports, order, caller } = this;
    await holdCodes(ports, { ...order, redemption }, caller.deadlineMs, order.holdMs ?? 0);
  }

  /** Returns when it is worth deciding again; throws the refusal otherwise. */
  private async judge(outcome: Exclude<Outcome, { kind: 'done' }>, plan: HoldPlan): Promise<void> {
    if (outcome.kind === 'differs' && outcome.step === USER_STEP) throw noSuchUser();
    if (outcome.kind !== 'out_of_bounds') return;
    const found = plan.usage.exhaustedAt(outcome.step - plan.firstUsageStep, outcome.value);
    if (found === undefined) throw new Refusal('INTERNAL', 'a counter of the order is out of bounds');
    const refused = await afterSharingUses(this.ports.ledger, this.order.userId, found);
    if (refused !== undefined) this.noteExhausted(refused, plan);
  }

  /**
   * A promotion nobody asked for can be left out, if whoever decides is told; anything else refuses the order. So does one
   * that applies again although it was noted and nothing has changed since.
   */
  private noteExhausted({ use, refusal, seen }: ExhaustedUse, plan: HoldPlan): void {
    const { promotionRef } = use;
    const isAskedFor = plan.redemption.promotions.some(
      (one) => one.promotionRef === promotionRef && (one.couponId !== undefined || one.code !== undefined),
    );
    const { exhausted } = this.ports;
    if (isAskedFor || exhausted === undefined || this.exhausted.get(promotionRef) === seen) throw refusal;
    this.exhausted.set(promotionRef, seen);
    exhausted.note(promotionRef, this.order.userId, limitOf(refusal), seen);
  }
}

function limitOf({ reason }: Refusal): ExhaustedLimit {
  return reason === 'USER_USES_EXHAUSTED' || reason === 'BUDGET_EXHAUSTED' ? reason : 'USES_EXHAUSTED';
}

/** Throws ORDER_ALREADY_RESERVED or ORDER_ALREADY_COMMITTED when the order is not free to be reserved. */
function requireFree({ redemption }: OrderRecords): void {
  if (redemption?.state === 'reserved')
    throw new Refusal('ORDER_ALREADY_RESERVED', 'The order has an active reservation', {
      metadata: {
        reservation_id: redemption.reservationId,
        expires_at: new Date(redemption.dueAtMs).toISOString(),
      },
    });
  if (redemption?.state === 'committed' || redemption?.state === 'returned')
    throw new Refusal('ORDER_ALREADY_COMMITTED', 'The order was committed before');
}
