import {
  appliedValue,
  type FieldWrite,
  issuesCoupons,
  type LedgerEvent,
  type Write,
} from '../ledger/event-format.ts';
import { counterRow, isFigure, mergeCounters } from './counter-rows.ts';
import { COUPON_ID_TIME_BYTES } from './coupon-ids.ts';
import { retiredCoupons, type TouchedCoupon, touchedCoupons } from './coupon-rows.ts';
import { type EventPlace, UnprojectableError } from './event-place.ts';
import { pointsRows, redemptionHistory, redemptionRows } from './order-rows.ts';
import type {
  CounterRow,
  CouponRow,
  FieldRow,
  HistoryRow,
  PointsRow,
  Projection,
  RedemptionHistoryRow,
  RedemptionRow,
  RetiredCouponRow,
} from './projection.ts';
import { walletFieldsOfTheirOwn } from './wallet-fields.ts';

/** Collects post-images: of every key the newest one stays. Events must arrive in stream order. */
export class ProjectionFold {
  private readonly coupons = new Map<string, CouponRow>();
  /** Keys of coupons by user and wallet field, which is all that the removal of one tells. */
  private readonly couponKeys = new Map<string, string>();
  private readonly retiredCoupons = new Map<string, RetiredCouponRow>();
  private readonly counters = new Map<number, CounterRow>();
  private readonly fields = new Map<string, FieldRow>();
  private readonly redemptions = new Map<string, RedemptionRow>();
  private readonly points = new Map<string, PointsRow>();
  private readonly history: HistoryRow[] = [];
  private readonly redemptionHistory: RedemptionHistoryRow[] = [];

  /** Takes over one event whole, or throws {@link UnprojectableError} and takes over nothing. */
  add(event: LedgerEvent, place: EventPlace): void {
    const coupons = touchedCoupons(event, place);
    const counters = event.writes.flatMap((write) => promotionFigures(write, place.seq));
    const redemptions = redemptionRows(event, place);
    // What is carried over from an earlier generation has happened before: it has its history and its transactions.
    const isNews = event.kind !== 'carried';
    const orderHistory = isNews ? redemptionHistory(event, place) : [];
    const points = isNews ? pointsRows(event, place) : [];
    if (issuesCoupons(event.kind)) this.requireNew(coupons);
    for (const entry of points) this.requireNewEntry(entry);

    for (const coupon of coupons) this.takeCoupon(coupon, event, place);
    for (const row of retiredCoupons(event, place)) this.retireCoupon(row);
    for (const row of counters) this.takeCounter(row);
    for (const row of event.writes.flatMap((write) => fieldRows(write, event, place))) this.takeField(row);
    for (const row of redemptions) this.redemptions.set(`${row.userId}/${row.orderId}`, row);
    for (const row of points) this.points.set(pointsKey(row), row);
    this.redemptionHistory.push(...orderHistory);
  }

  /** The final rows, each kind sorted by its key so that two writers can never lock each other out. */
  result(): Projection {
    return {
      coupons: [...this.coupons.values()].sort((a, b) => Buffer.compare(a.couponId, b.couponId)),
      retiredCoupons: byKey(this.retiredCoupons),
      counters: [...this.counters.values()].sort((a, b) => a.promotionRef - b.promotionRef),
      fields: byKey(this.fields),
      history: this.history,
      redemptions: byKey(this.redemptions),
      redemptionHistory: this.redemptionHistory,
      points: byKey(this.points),
    };
  }

  private requireNew(coupons: readonly TouchedCoupon[]): void {
    for (const { row } of coupons) {
      if (this.coupons.has(bytesKey(row.couponId)))
        throw new UnprojectableError('the coupon was issued before');
    }
  }

  private requireNewEntry(entry: PointsRow): void {
    if (this.points.has(pointsKey(entry)))
      throw new UnprojectableError(`points transaction ${entry.number} was written before`);
  }

  private takeCoupon({ row, orderId }: TouchedCoupon, event: LedgerEvent, place: EventPlace): void {
    const key = bytesKey(row.couponId);
    const before = this.coupons.get(key);
    this.coupons.set(key, before === undefined ? row : mergeCoupons(before, row));
    const name = walletKey(row.userId, row.couponId.subarray(COUPON_ID_TIME_BYTES));
    this.couponKeys.set(name, key);
    this.retiredCoupons.delete(name);
    if (issuesCoupons(event.kind) || event.kind === 'carried') return;
    const { seq, eventIndex, timeMs: atMs } = place;
    this.history.push({ couponId: row.couponId, seq, eventIndex, kind: event.kind, atMs, orderId });
  }

  /** The event tells the field only; what the batch knows of the coupon stays, so that it is written before it leaves. */
  private retireCoupon(retired: RetiredCouponRow): void {
    const name = walletKey(retired.userId, retired.field);
    const key = this.couponKeys.get(name);
    const row = key === undefined ? undefined : this.coupons.get(key);
    if (key === undefined || row === undefined) this.retiredCoupons.set(name, retired);
    else this.coupons.set(key, { ...row, ...lastEventOf(retired, row), retired: true });
  }

  private takeCounter(row: CounterRow): void {
    const before = this.counters.get(row.promotionRef);
    this.counters.set(row.promotionRef, before === undefined ? row : mergeCounters(before, row));
  }

  private takeField(row: FieldRow): void {
    const key = `${row.target}\0${row.id}\0${row.field.toString('latin1')}`;
    this.fields.set(key, row.retired ? retiredField(this.fields.get(key), row) : row);
  }
}

function lastEventOf(
  { seq, eventIndex, live }: RetiredCouponRow,
  before: CouponRow,
): Pick<CouponRow, 'seq' | 'eventIndex' | 'live'> {
  return { seq, eventIndex, live: live ?? before.live };
}

/** A field that leaves Redis keeps what the batch knows it held; one that was removed before has nothing to keep. */
function retiredField(before: FieldRow | undefined, row: FieldRow): FieldRow {
  if (before === undefined) return row;
  const isGone = before.value === undefined && !before.retired;
  return { ...row, value: before.value, retired: !isGone };
}

function byKey<Row>(rows: ReadonlyMap<string, Row>): Row[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function bytesKey(bytes: Buffer): string {
  return bytes.toString('latin1');
}

function walletKey(userId: string, field: Buffer): string {
  return `${userId}\0${bytesKey(field)}`;
}

function pointsKey({ userId, number }: PointsRow): string {
  return `${userId}\0${String(number).padStart(16, '0')}`;
}

/** The later image, with what only the earlier one tells. */
function mergeCoupons(before: CouponRow, after: CouponRow): CouponRow {
  const isHeld = after.state === 'reserved' || after.state === 'used';
  return {
    ...after,
    issuedSeq: before.issuedSeq,
    orderId: isHeld ? (after.orderId ?? before.orderId) : undefined,
    changedAtMs: after.changedAtMs ?? before.changedAtMs,
    claims: after.claims ?? before.claims,
    live: after.live ?? before.live,
  };
}

function promotionFigures(write: Write, seq: number): CounterRow[] {
  const row = write.target === 'promotion' ? counterRow(write, seq) : undefined;
  return row === undefined ? [] : [row];
}

/** Everything that has no table of its own. The due set follows from the orders. */
function fieldRows(write: Write, event: LedgerEvent, place: EventPlace): FieldRow[] {
  const { target, id } = write;
  const { seq, eventIndex } = place;
  return fieldsOfTheirOwn(write).map(({ field, value: written }) => {
    const value = appliedValue(field, written, seq);
    const retired = value === undefined && event.kind === 'retired';
    return { target, id, field, value, retired, seq, eventIndex };
  });
}

function fieldsOfTheirOwn(write: Write): readonly FieldWrite[] {
  switch (write.target) {
    case 'due':
      return [];
    case 'wallet':
      return walletFieldsOfTheirOwn(write);
    case 'promotion':
      return write.fields.filter(({ field }) => !isFigure(field));
    default:
      return write.fields;
  }
}
