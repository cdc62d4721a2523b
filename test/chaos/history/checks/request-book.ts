/** What requests left behind in the records beside coupons and heads: returns, refunds, awards, points of orders. */
import {
  decodeRefundRecord,
  REFUND_RECORD_PREFIX,
  type RefundRecord,
  type ReturnRecord,
} from '../../../../src/domain/refund-record.ts';
import { ORDER_FIELDS } from '../../../../src/ledger/record-fields.ts';
import type { Observer, SeenEvent, SeenField, SeenWrite } from '../state/replay.ts';
import type { Findings, Place } from '../violation.ts';
import { orderOfRecord } from './order-book.ts';

const AWARD_PREFIX = 'w:';

/** A return or refund as the order remembers it. */
export interface SeenReturn {
  readonly userId: string;
  readonly orderId: string;
  readonly requestId: string;
  readonly record: ReturnRecord | RefundRecord;
  readonly place: Place;
}

/** Follows these marks; each is written once. */
export class RequestBook implements Observer {
  private readonly findings: Findings;
  private readonly marks = new Map<string, Place>();
  private readonly returns = new Map<string, SeenReturn>();

  constructor(findings: Findings) {
    this.findings = findings;
  }

  /** What a return or refund of an order left. */
  returnOf(userId: string, orderId: string, requestId: string): SeenReturn | undefined {
    return this.returns.get(`${userId}/${orderId}/${requestId}`);
  }

  /** Where an award was written. */
  awardOf(userId: string, requestId: string): Place | undefined {
    return this.marks.get(`award ${userId} ${requestId}`);
  }

  /** Where the points of an order were written. */
  orderPoints(userId: string, orderId: string): Place | undefined {
    return this.marks.get(`earned ${userId}/${orderId}`);
  }

  /** All returns and refunds. */
  get allReturns(): Iterable<SeenReturn> {
    return this.returns.values();
  }

  /** All awards, as user and request id. */
  get awards(): { readonly userId: string; readonly requestId: string; readonly place: Place }[] {
    return [...this.marks].flatMap(([name, place]) => {
      const [what, userId = '', requestId = ''] = name.split(' ');
      return what === 'award' ? [{ userId, requestId, place }] : [];
    });
  }

  see({ place, kind, writes }: SeenEvent): void {
    for (const write of writes) {
      for (const field of write.fields) {
        if (field.value === undefined) continue;
        if (write.target === 'account' && field.name.startsWith(AWARD_PREFIX)) {
          this.mark(place, `award ${write.id} ${field.name.slice(AWARD_PREFIX.length)}`);
        } else if (write.target === 'order') this.seeOrder(place, kind, write, field);
      }
    }
  }

  private seeOrder(
    place: Place,
    kind: SeenEvent['kind'],
    { id }: SeenWrite,
    { name, value = '' }: SeenField,
  ): void {
    if (name === ORDER_FIELDS.points.name && kind !== 'points_reversed') this.noteEarned(place, id);
    if (!name.startsWith(REFUND_RECORD_PREFIX)) return;
    const requestId = name.slice(REFUND_RECORD_PREFIX.length);
    this.mark(place, `return ${id} ${requestId}`);
    const record = this.read(place, id, value);
    if (record !== undefined)
      this.returns.set(`${id}/${requestId}`, { ...orderOfRecord(id), requestId, record, place });
  }

  /** What an order earned is written once, and again when points are taken back. */
  private noteEarned(place: Place, id: string): void {
    const name = `earned ${id}`;
    if (!this.marks.has(name)) this.marks.set(name, place);
  }

  private mark(place: Place, name: string): void {
    const before = this.marks.get(name);
    if (before !== undefined) {
      const text = `one request is carried out twice: ${name}`;
      this.findings.breach('I4', 'carried-out-twice', text, { places: [before, place] });
    }
    this.marks.set(name, place);
  }

  private read(place: Place, id: string, value: string): SeenReturn['record'] | undefined {
    try {
      return decodeRefundRecord(Buffer.from(value, 'latin1'));
    } catch {
      this.findings.breach('I6', 'unreadable-return', `a return of order ${id} cannot be read`, {
        places: [place],
      });
      return undefined;
    }
  }
}
