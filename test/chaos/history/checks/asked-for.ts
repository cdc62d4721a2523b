/** I12 the other way round: nothing happened that nobody asked for. Only where the history tells of every client. */

import { couponFieldHex } from '../../../../src/ledger/coupon-field.ts';
import type { EventKind } from '../../../../src/ledger/event-format.ts';
import type { Call } from '../calls.ts';
import type { Findings, Place } from '../violation.ts';
import { ISSUE_KINDS, type LogBooks } from './evidence.ts';

const ASKED_KINDS: ReadonlySet<EventKind> = new Set(['claimed', 'code_claimed', 'exchanged']);

/** Every coupon, order, return and award of the log is asked for in the history. */
export function checkAskedFor(findings: Findings, calls: readonly Call[], books: LogBooks): void {
  const asked = new Set(calls.flatMap(namesOf));
  const require = (name: string, what: string, place: Place): void => {
    findings.count('effects held to the history');
    if (!asked.has(name))
      findings.breach('I12', 'nobody-asked', `nobody asked for ${what}`, { places: [place] });
  };
  for (const { userId, fieldHex, couponId, kind, place } of books.coupons.issued) {
    if (ASKED_KINDS.has(kind))
      require(`coupon ${userId} ${fieldHex}`, `coupon ${couponId} of ${userId}`, place);
  }
  for (const versions of books.orders.orders) {
    for (const { userId, orderId, head, kind, place } of versions) {
      if (kind !== 'reserved' && kind !== 'used') continue;
      require(`order ${userId} ${orderId} ${head.requestId}`, `order ${orderId} of ${userId}`, place);
    }
  }
  for (const { userId, orderId, requestId, place, record } of books.requests.allReturns) {
    if (requestId.startsWith('ev.')) continue;
    require(`${record.kind} ${userId} ${orderId} ${requestId}`, `a ${record.kind} of order ${orderId} of ${userId}`, place);
  }
  for (const { userId, requestId, place } of books.requests.awards)
    require(`award ${userId} ${requestId}`, `an award to ${userId}`, place);
}

/** The traces a call may leave. */
function namesOf({ operation, userId, requestId, arguments: { orderId = '' } }: Call): string[] {
  const issue = ISSUE_KINDS[operation];
  if (issue !== undefined) return [`coupon ${userId} ${couponFieldHex(issue, userId, requestId)}`];
  switch (operation) {
    case 'reserve':
    case 'use':
      return [`order ${userId} ${orderId} ${requestId}`];
    case 'return':
    case 'refund':
      return [`${operation} ${userId} ${orderId} ${requestId}`];
    case 'award':
      return [`award ${userId} ${requestId}`];
    default:
      return [];
  }
}
