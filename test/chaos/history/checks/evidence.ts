/** What the log shows of one call: whether it was carried out, where, and what it did. */
import { couponFieldHex, type IssueKind } from '../../../../src/ledger/coupon-field.ts';
import { earlierEnding, earlierReservation } from '../../../../src/redemption/request-ids.ts';
import type { Call } from '../calls.ts';
import type { Operation } from '../history.ts';
import type { Place } from '../violation.ts';
import type { CouponBook, IssuedCoupon } from './coupon-book.ts';
import type { Definitions } from './definitions.ts';
import type { HeadVersion, OrderBook } from './order-book.ts';
import type { PointsBook } from './points.ts';
import type { RequestBook } from './request-book.ts';

/** Everything the log was read into. */
export interface LogBooks {
  readonly definitions: Definitions;
  readonly coupons: CouponBook;
  readonly orders: OrderBook;
  readonly points: PointsBook;
  readonly requests: RequestBook;
}

/** The operations that issue a coupon under the request's own id. */
export const ISSUE_KINDS: Partial<Record<Operation, IssueKind>> = {
  claim: 'claim',
  exchange: 'exchange',
  claimCode: 'code',
};

/** The coupon a call issued. */
export function couponOf(
  { coupons }: LogBooks,
  call: Pick<Call, 'operation' | 'userId' | 'requestId'>,
): IssuedCoupon | undefined {
  const kind = ISSUE_KINDS[call.operation];
  return kind && coupons.issuedTo(call.userId, couponFieldHex(kind, call.userId, call.requestId));
}

function versionsOf(
  { orders }: LogBooks,
  { userId, arguments: { orderId = '' } }: Call,
): readonly HeadVersion[] {
  return orders.versions(userId, orderId);
}

/** The version of the order that a call reserved or used made; inherited ids count, since they tell the same. */
export function beginningOf(books: LogBooks, call: Call): HeadVersion | undefined {
  return versionsOf(books, call).find(
    ({ head }) =>
      head.requestId === call.requestId || earlierReservation(head.requests, call.requestId) !== undefined,
  );
}

/** The version of the order that a commit or release made and signed. */
export function endingOf(books: LogBooks, call: Call): HeadVersion | undefined {
  return versionsOf(books, call).find(
    ({ head }) => earlierEnding(head.requests, call.requestId) === call.operation,
  );
}

/** Where a call was carried out; undefined when the log shows no trace of it. */
export function effectOf(books: LogBooks, call: Call): Place | undefined {
  const { userId, requestId, arguments: asked } = call;
  switch (call.operation) {
    case 'claim':
    case 'claimCode':
    case 'exchange':
      return couponOf(books, call)?.place;
    case 'reserve':
    case 'use':
      return beginningOf(books, call)?.place;
    case 'commit':
    case 'release':
      return endingOf(books, call)?.place;
    case 'return':
    case 'refund':
      return books.requests.returnOf(userId, asked.orderId ?? '', requestId)?.place;
    case 'award':
      return books.requests.awardOf(userId, requestId);
    case 'event':
    case 'define':
      // These are in Postgres first; see the tables.
      return undefined;
  }
}
