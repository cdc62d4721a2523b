import {
  COUPON_FIELD_BYTES,
  COUPON_ID_BYTES,
  type CouponValue,
  decodeCouponValue,
} from '../domain/coupon.ts';
import { appliedValue, type LedgerEvent, type Write } from '../ledger/event-format.ts';
import type { CounterRow, CouponRow, FieldRow, HistoryRow, Projection } from './projection.ts';

/** Where an event stands in the stream, and when it was decided (ms since the epoch). */
export interface EventPlace {
  readonly seq: number;
  readonly eventIndex: number;
  readonly timeMs: number;
}

/** This event cannot be projected, whatever the database says. */
export class UnprojectableError extends Error {
  override readonly name = 'UnprojectableError';
}

/** What one event would change, computed before any of it is taken over. */
interface EventRows {
  readonly coupons: readonly CouponRow[];
  readonly counters: readonly CounterRow[];
  readonly fields: readonly FieldRow[];
}

const UNMENTIONED = -1;

/** Collects post-images: of every key the newest one stays. Events must arrive in stream order. */
export class ProjectionFold {
  private readonly coupons = new Map<string, CouponRow>();
  private readonly counters = new Map<number, CounterRow>();
  private readonly fields = new Map<string, FieldRow>();
  private readonly history: HistoryRow[] = [];

  /** Takes over one event whole, or throws and takes over nothing. */
  add(event: LedgerEvent, place: EventPlace): void {
    const rows = this.rowsOf(event, place);
    for (const row of rows.coupons) this.takeCoupon(row, event, place);
    for (const row of rows.counters) this.takeCounter(row);
    for (const row of rows.fields) this.fields.set(fieldKey(row), row);
  }

  /** The final rows, each kind sorted by its key so that two writers can never lock each other out. */
  result(): Projection {
    return {
      coupons: [...this.coupons.values()].sort((a, b) => Buffer.compare(a.couponId, b.couponId)),
      counters: [...this.counters.values()].sort((a, b) => a.promotionRef - b.promotionRef),
      fields: [...this.fields].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
      history: this.history,
    };
  }

  private rowsOf(event: LedgerEvent, place: EventPlace): EventRows {
    const rows = { coupons: [] as CouponRow[], counters: [] as CounterRow[], fields: [] as FieldRow[] };
    for (const write of event.writes) {
      if (write.target === 'wallet') rows.coupons.push(...this.couponRows(write, event, place));
      else if (write.target === 'promotion') addPromotionRows(write, place.seq, rows);
      else rows.fields.push(...fieldRows(write, write.fields, place.seq));
    }
    return rows;
  }

  private couponRows(write: Write, event: LedgerEvent, place: EventPlace): CouponRow[] {
    const issues = event.kind === 'claimed';
    const coupons = write.fields.filter(({ field }) => field.length === COUPON_FIELD_BYTES);
    return coupons.map(({ field, value }) => {
      const row = couponRow(write.id, field, value, place, issues ? place.seq : UNMENTIONED);
      if (issues && this.coupons.has(bytesKey(row.couponId))) {
        throw new UnprojectableError('the coupon was issued before');
      }
      return row;
    });
  }

  private takeCoupon(row: CouponRow, event: LedgerEvent, place: EventPlace): void {
    const key = bytesKey(row.couponId);
    const issuedSeq = this.coupons.get(key)?.issuedSeq ?? row.issuedSeq;
    this.coupons.set(key, issuedSeq === row.issuedSeq ? row : { ...row, issuedSeq });
    if (event.kind === 'claimed') return;
    const { seq, eventIndex, timeMs } = place;
    this.history.push({ couponId: row.couponId, seq, eventIndex, kind: event.kind, atMs: timeMs });
  }

  private takeCounter(row: CounterRow): void {
    const before = this.counters.get(row.promotionRef);
    this.counters.set(row.promotionRef, before === undefined ? row : mergeCounters(before, row));
  }
}

function bytesKey(bytes: Buffer): string {
  return bytes.toString('latin1');
}

function fieldKey(row: FieldRow): string {
  return `${row.target}\0${row.id}\0${row.field.toString('latin1')}`;
}

function readCoupon(value: Buffer): CouponValue {
  try {
    return decodeCouponValue(value);
  } catch (cause) {
    throw new UnprojectableError(cause instanceof Error ? cause.message : 'not a coupon', { cause });
  }
}

function couponRow(
  userId: string,
  field: Buffer,
  value: Buffer,
  place: EventPlace,
  issuedSeq: number,
): CouponRow {
  const coupon = readCoupon(value);
  return {
    couponId: couponIdBytes(coupon.issuedAtMs, field),
    userId,
    promotionRef: coupon.promotionRef,
    promotionVersion: coupon.promotionVersion,
    state: coupon.state,
    source: coupon.source,
    issuedAtMs: coupon.issuedAtMs,
    validFromMs: coupon.validFromMs,
    expiresAtMs: coupon.expiresAtMs,
    hidden: coupon.hidden,
    value,
    seq: place.seq,
    eventIndex: place.eventIndex,
    issuedSeq,
  };
}

/** The binary form of a public coupon id: issue time, then the wallet field. */
function couponIdBytes(issuedAtMs: number, field: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(COUPON_ID_BYTES);
  bytes.writeUIntBE(issuedAtMs, 0, COUPON_ID_BYTES - COUPON_FIELD_BYTES);
  field.copy(bytes, COUPON_ID_BYTES - COUPON_FIELD_BYTES);
  return bytes;
}

function fieldRows(write: Write, fields: Write['fields'], seq: number): FieldRow[] {
  return fields.map(({ field, value }) => {
    return { target: write.target, id: write.id, field, value: appliedValue(field, value, seq), seq };
  });
}

function addPromotionRows(
  write: Write,
  seq: number,
  rows: { counters: CounterRow[]; fields: FieldRow[] },
): void {
  const figures = new Map<string, string>();
  const others = write.fields.filter(({ field, value }) => {
    const name = field.toString('latin1');
    if (name !== 'issued' && name !== 'received') return true;
    figures.set(name, value.toString('latin1'));
    return false;
  });
  rows.fields.push(...fieldRows(write, others, seq));
  if (figures.size > 0) rows.counters.push(counterRow(write.id, figures, seq));
}

function counterRow(id: string, figures: ReadonlyMap<string, string>, seq: number): CounterRow {
  const issued = figures.get('issued');
  const received = figures.get('received');
  return {
    promotionRef: wholeNumber(id),
    issued: issued === undefined ? 0 : wholeNumber(issued),
    issuedSeq: issued === undefined ? UNMENTIONED : seq,
    received: received === undefined || received === '' ? undefined : wholeNumber(received),
    receivedSeq: received === undefined ? UNMENTIONED : seq,
  };
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value))
    throw new UnprojectableError(`"${text}" is no figure`);
  return value;
}

function mergeCounters(before: CounterRow, after: CounterRow): CounterRow {
  const issued = after.issuedSeq === UNMENTIONED ? before : after;
  const received = after.receivedSeq === UNMENTIONED ? before : after;
  return {
    promotionRef: before.promotionRef,
    issued: issued.issued,
    issuedSeq: issued.issuedSeq,
    received: received.received,
    receivedSeq: received.receivedSeq,
  };
}
