/** I3: whatever was answered with "done" is in the log, as it was answered. */
import type { RedemptionState } from '../../../../src/domain/redemption.ts';
import { attemptIds, type Call } from '../calls.ts';
import type { Answer, Ok } from '../history.ts';
import type { LedgerState } from '../state/ledger-state.ts';
import type { Findings } from '../violation.ts';
import { beginningOf, couponOf, endingOf, type LogBooks } from './evidence.ts';
import type { HeadVersion } from './order-book.ts';

/** What a check of acknowledgements works with. */
export interface AckContext {
  readonly findings: Findings;
  readonly books: LogBooks;
  readonly state: LedgerState;
  /** What was promised FAST may be gone: a crash took what was not synced. */
  readonly mayLoseFast: boolean;
}

/** Checks every call that was answered with "done". */
export function checkAcknowledged(context: AckContext, calls: readonly Call[]): void {
  for (const call of calls) {
    for (const ok of call.oks) {
      context.findings.count('answers held to the log');
      checkOne(context, call, ok);
    }
  }
}

function lost({ findings, mayLoseFast }: AckContext, call: Call, { id, answer }: Ok, text: string): void {
  if (mayLoseFast && answer.acknowledgement === 'fast') {
    findings.count('lost at FAST');
    return;
  }
  findings.breach('I3', `lost-${call.operation}`, text, { attempts: [id] });
}

function checkOne(context: AckContext, call: Call, ok: Ok): void {
  switch (call.operation) {
    case 'claim':
    case 'claimCode':
    case 'exchange':
      checkCoupon(context, call, ok);
      break;
    case 'reserve':
    case 'use':
      checkBeginning(context, call, ok);
      break;
    case 'commit':
      checkEnding(context, call, ok, ['committed', 'returned']);
      break;
    case 'release':
      checkEnding(context, call, ok, ['released', 'expired']);
      break;
    case 'return':
    case 'refund':
      checkReturn(context, call, ok);
      break;
    case 'award':
      if (context.books.requests.awardOf(call.userId, call.requestId) === undefined)
        lost(context, call, ok, `an award to ${call.userId} was acknowledged and is nowhere`);
      break;
    case 'event':
      checkEvent(context, call, ok);
      break;
    case 'define':
      checkDefinition(context, call, ok);
      break;
  }
}

function checkCoupon(context: AckContext, call: Call, ok: Ok): void {
  const { couponId = '', promotionId = '', promotionVersion } = ok.answer;
  const { books, findings } = context;
  const fieldHex = couponId.slice(-32);
  const issued = books.coupons.issuedTo(call.userId, fieldHex);
  if (issued?.couponId !== couponId) {
    lost(context, call, ok, `coupon ${couponId} of ${call.userId} was acknowledged and was never issued`);
    return;
  }
  const isOwn = couponOf(books, call) === issued || call.operation === 'claimCode';
  const isAsTold = books.definitions.refOf(promotionId) === issued.ref && promotionVersion === issued.version;
  if (isOwn && isAsTold) return;
  const text = `coupon ${couponId} of ${call.userId} is told as one of ${promotionId} version ${promotionVersion}, it is of promotion ${issued.ref} version ${issued.version}`;
  findings.breach('I12', 'told-otherwise', text, { attempts: [ok.id], places: [issued.place] });
}

function checkBeginning(context: AckContext, call: Call, ok: Ok): void {
  const { orderId = '' } = call.arguments;
  const version = beginningOf(context.books, call);
  if (version === undefined) {
    lost(
      context,
      call,
      ok,
      `order ${orderId} of ${call.userId} was acknowledged (${call.operation}) and is nowhere`,
    );
    return;
  }
  const versions = context.books.orders.versions(call.userId, orderId);
  const told = versions.find(({ head }) => head.reservationId === ok.answer.reservationId);
  if (told === undefined) {
    lost(
      context,
      call,
      ok,
      `reservation ${ok.answer.reservationId} of order ${orderId} was acknowledged and is nowhere`,
    );
    return;
  }
  const isOwn = ok.answer.replayed === true || told.head.requestId === call.requestId;
  if (!isOwn) {
    const text = `${call.operation} ${call.requestId} is told to have made reservation ${ok.answer.reservationId}, which another call made`;
    context.findings.breach('I12', 'told-otherwise', text, { attempts: [ok.id], places: [told.place] });
  }
  compareCoupons(context, call, ok, told);
}

function couponsTold(answer: Answer): string {
  return (answer.coupons ?? [])
    .map(({ couponId }) => couponId)
    .toSorted()
    .join();
}

function compareCoupons({ findings }: AckContext, call: Call, ok: Ok, { head, place }: HeadVersion): void {
  const held = head.coupons
    .map(({ couponId }) => couponId)
    .toSorted()
    .join();
  if (held === couponsTold(ok.answer)) return;
  const text = `order ${call.arguments.orderId} was told to hold coupons ${couponsTold(ok.answer)}, it holds ${held}`;
  findings.breach('I12', 'told-otherwise', text, { attempts: [ok.id], places: [place] });
}

function checkEnding(context: AckContext, call: Call, ok: Ok, states: readonly RedemptionState[]): void {
  const { orderId = '' } = call.arguments;
  // A repeated call is answered with the order as it is now, which another reservation may have by then.
  const own = endingOf(context.books, call)?.head.reservationId;
  const reservationId = own ?? ok.answer.reservationId;
  const versions = context.books.orders.versions(call.userId, orderId);
  const ended = versions.find(
    ({ head }) => head.reservationId === reservationId && states.includes(head.state),
  );
  if (ended === undefined) {
    lost(
      context,
      call,
      ok,
      `${call.operation} of order ${orderId} of ${call.userId} was acknowledged and is nowhere`,
    );
    return;
  }
  const later = versions.slice(versions.indexOf(ended));
  const undone = later.find(
    ({ head }) => head.reservationId === reservationId && !states.includes(head.state),
  );
  const isLateCommit = call.operation === 'release' && ended.head.state === 'expired';
  if (undone === undefined || isLateCommit) return;
  const text = `${call.operation} of order ${orderId} was acknowledged, and the order is ${undone.head.state} later`;
  context.findings.breach('I3', 'undone', text, { attempts: [ok.id], places: [ended.place, undone.place] });
}

function checkReturn(context: AckContext, call: Call, ok: Ok): void {
  const { orderId = '' } = call.arguments;
  const seen = context.books.requests.returnOf(call.userId, orderId, call.requestId);
  if (seen === undefined) {
    lost(
      context,
      call,
      ok,
      `${call.operation} of order ${orderId} of ${call.userId} was acknowledged and is nowhere`,
    );
    return;
  }
  const { record, place } = seen;
  const { refundMinor, pointsReversed, coupons = [] } = ok.answer;
  const outcomes = (list: readonly (readonly [string, string])[]): string =>
    list
      .map((pair) => pair.join(' '))
      .toSorted()
      .join();
  const told = outcomes(coupons.map(({ couponId, state }) => [couponId, state]));
  const written = outcomes(record.coupons.map(({ couponId, outcome }) => [couponId, outcome]));
  const isSameMoney = record.kind === 'return' || record.refundMinor === refundMinor;
  if (isSameMoney && told === written && record.pointsReversed === (pointsReversed ?? 0)) return;
  const text = `${call.operation} of order ${orderId} was told as ${refundMinor ?? 0} minor units, ${pointsReversed ?? 0} points, ${told}; written is another`;
  context.findings.breach('I12', 'told-otherwise', text, { attempts: [ok.id], places: [place] });
}

function checkEvent(context: AckContext, call: Call, ok: Ok): void {
  const { state, books } = context;
  if (!state.inbox.some(({ eventId }) => eventId === call.requestId)) {
    lost(context, call, ok, `event ${call.requestId} of the shop was acknowledged and is not in the inbox`);
    return;
  }
  const earned = (ok.answer.pointsEffects ?? []).filter(({ points }) => points > 0);
  const isMissing =
    earned.length > 0 && books.requests.orderPoints(call.userId, call.arguments.orderId ?? '') === undefined;
  if (isMissing)
    lost(
      context,
      call,
      ok,
      `event ${call.requestId} told of points for order ${call.arguments.orderId}, which earned none`,
    );
}

function checkDefinition(context: AckContext, call: Call, ok: Ok): void {
  const { promotionId = '', promotionVersion = 0 } = ok.answer;
  const row = context.state.promotions.find((promotion) => promotion.promotionId === promotionId);
  if ((row?.version ?? 0) < promotionVersion) {
    lost(
      context,
      call,
      ok,
      `version ${promotionVersion} of promotion ${promotionId} was acknowledged, Postgres has ${row?.version ?? 'none'}`,
    );
    return;
  }
  for (let partition = 0; partition < context.state.partitions; partition += 1) {
    const live = context.books.definitions.inForce(partition, String(row?.ref))?.version ?? 0;
    if (live >= promotionVersion || context.state.generation > 1) continue;
    const text = `version ${promotionVersion} of promotion ${promotionId} was acknowledged, partition ${partition} has ${live}`;
    context.findings.breach('I3', 'lost-define', text, { attempts: attemptIds(call) });
  }
}
