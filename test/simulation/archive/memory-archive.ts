/**
 * The archive of the simulation: the cursor row, the log and the projections, with the rules of the statements that write them in
 * Postgres (`lease.ts`, `flush.ts`, `write-projection.ts`). Each call is one statement: all of it or nothing.
 */
import { type Fence, ForkError, RefusedBatchError } from '../../../src/archive/flush.ts';
import type { Lease } from '../../../src/archive/lease.ts';
import type { StreamEntry } from '../../../src/archive/ledger-port.ts';
import type {
  CounterRow,
  CouponRow,
  FieldRow,
  FoldedBatch,
  RedemptionRow,
  RetiredCouponRow,
} from '../../../src/archive/projection.ts';

/** Faults that can be planted into the archive. */
export type ArchiveFault = 'cursor-not-fenced' | 'epoch-not-fenced' | 'log-not-unique' | 'fields-not-ordered';

interface Cursor {
  seq: number;
  eventsTotal: number;
  epoch: number;
  owner: string | undefined;
  leaseUntilMs: number;
  payload: Buffer | undefined;
}

const COUPON_FIELD_AT = 6;

/** See the module's comment. */
export class MemoryArchive {
  readonly cursor: Cursor = {
    seq: -1,
    eventsTotal: 0,
    epoch: 0,
    owner: undefined,
    leaseUntilMs: 0,
    payload: undefined,
  };
  readonly log = new Map<number, Buffer>();
  readonly coupons = new Map<string, CouponRow>();
  readonly counters = new Map<number, CounterRow>();
  readonly fields = new Map<string, FieldRow>();
  readonly redemptions = new Map<string, RedemptionRow>();
  /** Events in quarantine; there should never be one. */
  readonly quarantine: string[] = [];
  /** Told before a batch moves the cursor from `before`, while `epoch` is the lease in force. */
  onFlush: ((fence: Fence, batch: FoldedBatch, epoch: number, before: number) => void) | undefined;
  private readonly nowMs: () => number;
  private readonly faults: ReadonlySet<ArchiveFault>;

  constructor(nowMs: () => number, faults: ReadonlySet<ArchiveFault>) {
    this.nowMs = nowMs;
    this.faults = faults;
  }

  takeLease(owner: string, leaseMs: number): Lease | undefined {
    const { cursor } = this;
    const isFree = cursor.owner === undefined || cursor.owner === owner || cursor.leaseUntilMs < this.nowMs();
    if (!isFree) return undefined;
    cursor.epoch += 1;
    cursor.owner = owner;
    cursor.leaseUntilMs = this.nowMs() + leaseMs;
    return this.lease();
  }

  renewLease(epoch: number, leaseMs: number): Lease | undefined {
    if (!this.isEpoch(epoch)) return undefined;
    this.cursor.leaseUntilMs = this.nowMs() + leaseMs;
    return this.lease();
  }

  giveBackLease(epoch: number): void {
    if (!this.isEpoch(epoch)) return;
    this.cursor.owner = undefined;
    this.cursor.leaseUntilMs = 0;
  }

  readLog(after: number, limit: number): StreamEntry[] {
    const found: StreamEntry[] = [];
    for (let seq = after + 1; found.length < limit; seq += 1) {
      const payload = this.log.get(seq);
      if (payload === undefined) break;
      found.push({ seq, payload });
    }
    return found;
  }

  /** Writes a batch. Throws {@link ForkError} and {@link RefusedBatchError}; nothing was written then. */
  flush(fence: Fence, batch: FoldedBatch): boolean {
    const { lease, leaseMs } = fence;
    const last = batch.log.at(-1);
    if (last === undefined) throw new RangeError('an empty batch has nothing to write');
    const isAtCursor = this.cursor.seq === lease.seq || this.faults.has('cursor-not-fenced');
    if (!this.isEpoch(lease.epoch) || !isAtCursor) return false;
    this.requireNew(batch);
    this.onFlush?.(fence, batch, this.cursor.epoch, this.cursor.seq);
    Object.assign(this.cursor, { seq: last.seq, eventsTotal: batch.eventsTotal, payload: last.payload });
    this.cursor.leaseUntilMs = this.nowMs() + leaseMs;
    for (const { seq, payload } of batch.log) this.log.set(seq, payload);
    for (const row of batch.coupons) this.writeCoupon(row);
    for (const row of batch.counters) this.writeCounter(row);
    for (const row of batch.fields) this.writeField(row);
    for (const row of batch.retiredCoupons) this.retireCoupon(row);
    for (const row of batch.redemptions) this.redemptions.set(`${row.userId}/${row.orderId}`, row);
    for (const { seq, error } of batch.quarantine) this.quarantine.push(`${seq}: ${error}`);
    return true;
  }

  private lease(): Lease {
    const { seq, eventsTotal, epoch } = this.cursor;
    return { seq, eventsTotal, epoch };
  }

  private isEpoch(epoch: number): boolean {
    return this.cursor.epoch === epoch || this.faults.has('epoch-not-fenced');
  }

  private requireNew({ log, coupons }: FoldedBatch): void {
    const clash = log.find(({ seq }) => this.log.has(seq));
    if (clash !== undefined && !this.faults.has('log-not-unique'))
      throw new ForkError(`entry ${clash.seq} is in the log`);
    const again = coupons.find((row) => {
      const known = this.coupons.get(row.couponId.toString('hex'));
      return known !== undefined && (row.issuedSeq >= 0 || !isNewer(row, known));
    });
    if (again !== undefined && !this.faults.has('log-not-unique'))
      throw new RefusedBatchError('a coupon was issued before, or a newer event of it is archived');
  }

  private writeCoupon(row: CouponRow): void {
    const key = row.couponId.toString('hex');
    const known = this.coupons.get(key);
    const isHeld = row.state === 'reserved' || row.state === 'used';
    const orderId = isHeld ? (row.orderId ?? known?.orderId) : undefined;
    const changedAtMs = row.changedAtMs ?? known?.changedAtMs;
    this.coupons.set(key, known === undefined ? row : { ...known, ...row, orderId, changedAtMs });
  }

  private writeCounter(row: CounterRow): void {
    const known = this.counters.get(row.promotionRef);
    if (known === undefined) {
      this.counters.set(row.promotionRef, row);
      return;
    }
    const isNewerStock = row.receivedSeq > known.receivedSeq;
    this.counters.set(row.promotionRef, {
      ...row,
      issued: row.issuedSeq >= known.issuedSeq ? row.issued : known.issued,
      issuedSeq: Math.max(row.issuedSeq, known.issuedSeq),
      received: isNewerStock ? row.received : known.received,
      receivedSeq: Math.max(row.receivedSeq, known.receivedSeq),
    });
  }

  private writeField(row: FieldRow): void {
    const key = `${row.target} ${row.id} ${row.field.toString('latin1')}`;
    const known = this.fields.get(key);
    const isStale = known !== undefined && !isNewer(row, known);
    if (isStale && !this.faults.has('fields-not-ordered')) return;
    if (row.value !== undefined) this.fields.set(key, row);
    else if (!row.retired) this.fields.delete(key);
    else if (known !== undefined) this.fields.set(key, { ...known, ...row, value: known.value });
  }

  private retireCoupon(retired: RetiredCouponRow): void {
    for (const [key, row] of this.coupons) {
      const isMeant =
        row.userId === retired.userId && row.couponId.subarray(COUPON_FIELD_AT).equals(retired.field);
      if (isMeant && isNewer(retired, row))
        this.coupons.set(key, { ...row, retired: true, seq: retired.seq, eventIndex: retired.eventIndex });
    }
  }
}

interface Placed {
  readonly seq: number;
  readonly eventIndex: number;
}

function isNewer(one: Placed, other: Placed): boolean {
  return one.seq > other.seq || (one.seq === other.seq && one.eventIndex > other.eventIndex);
}
