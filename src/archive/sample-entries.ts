/**
 * Made-up entries for the tests of the archive: a small ledger in memory that writes what the scripts would write.
 */
import { createHash } from 'node:crypto';
import { type CouponValue, couponIdOf, encodeCouponValue } from '../domain/coupon.ts';
import type { LiveDefinition } from '../domain/live-definition.ts';
import {
  ENTRY_FORMAT,
  type EventKind,
  encodeEntry,
  type LedgerEvent,
  type Write,
} from '../ledger/event-format.ts';
import { encodeLiveDefinition } from '../ledger/live-definition.ts';
import type { StreamEntry } from './ledger-port.ts';

/** The first instant of the sample ledger's time, ms since the epoch: 2026-11-21T00:00:00Z. */
export const SAMPLE_START_MS = 1_795_219_200_000;
/** Time between two sample entries, ms. */
const STEP_MS = 10;

/** The wallet field of a made-up claim. */
export function sampleField(userId: string, requestId: string): Buffer {
  return createHash('sha256').update(`${userId}\0${requestId}`).digest().subarray(0, 16);
}

/** A definition every user may claim from; `changes` replaces parts of it. */
export function sampleDefinition(ref: number, changes: Partial<LiveDefinition> = {}): LiveDefinition {
  return {
    ref,
    id: `sample-${ref}`,
    version: 1,
    state: 'active',
    claimable: true,
    perUserLimit: 1,
    acknowledgement: 'durable',
    validity: { kind: 'days', days: 7 },
    target: { kind: 'everyone' },
    body: Buffer.from(`promotion ${ref}`),
    ...changes,
  };
}

function bytes(text: string | number): Buffer {
  return Buffer.from(String(text), 'latin1');
}

/** A ledger in memory: each call makes the event the scripts would write, `entry` closes a batch of them. */
export class SampleLedger {
  private readonly issued = new Map<number, number>();
  private readonly claims = new Map<string, number>();
  private readonly live = new Map<string, number>();
  private readonly values = new Map<string, CouponValue>();
  private eventsTotal = 0;
  private nextSeq = 0;

  /** Decision time of the entry that is being made, ms since the epoch. */
  get timeMs(): number {
    return SAMPLE_START_MS + this.nextSeq * STEP_MS;
  }

  /** The event that starts a generation. */
  opened(): LedgerEvent {
    return { kind: 'opened', writes: [] };
  }

  /** Delivers a definition. */
  defined(definition: LiveDefinition): LedgerEvent {
    const ref = String(definition.ref);
    const fields = [
      { field: bytes('d'), value: encodeLiveDefinition(definition) },
      { field: bytes('body'), value: Buffer.from(definition.body) },
      { field: bytes('issued'), value: bytes(this.issued.get(definition.ref) ?? 0) },
      { field: bytes('received'), value: bytes(definition.quantity ?? '') },
      { field: bytes('@'), value: Buffer.alloc(6) },
    ];
    const index: Write = {
      target: 'index',
      id: '',
      fields: [{ field: bytes(definition.id), value: bytes(ref) }],
    };
    return { kind: 'defined', writes: [{ target: 'promotion', id: ref, fields }, index] };
  }

  /** A claim, whether or not stock and limits allow it: tests of the audit need the wrong ones too. */
  claimed(userId: string, ref: number, requestId = 'r1', changes: Partial<CouponValue> = {}): LedgerEvent {
    return this.issuedAs('claimed', userId, ref, requestId, changes);
  }

  /** An issue of any kind. */
  issuedAs(
    kind: EventKind,
    userId: string,
    ref: number,
    requestId = 'r1',
    changes: Partial<CouponValue> = {},
  ): LedgerEvent {
    const field = sampleField(userId, requestId);
    const coupon = { ...this.newCoupon(ref), ...changes };
    this.values.set(field.toString('hex'), coupon);
    const issued = this.raise(this.issued, ref);
    const counter = Buffer.alloc(5, '#');
    counter.writeUInt32BE(ref, 1);
    const fields = [
      { field, value: Buffer.from(encodeCouponValue(coupon)) },
      { field: counter, value: bytes(this.raise(this.claims, `${userId}\0${ref}`)) },
      { field: bytes('@'), value: walletMark(this.raise(this.live, userId)) },
    ];
    const promotion: Write = {
      target: 'promotion',
      id: String(ref),
      fields: [{ field: bytes('issued'), value: bytes(issued) }],
    };
    return { kind, writes: [{ target: 'wallet', id: userId, fields }, promotion] };
  }

  /** Hides a coupon claimed before. */
  hidden(userId: string, requestId = 'r1'): LedgerEvent {
    return { kind: 'hidden', writes: [this.changed(userId, [requestId], { hidden: true })] };
  }

  /** An event that does nothing but change coupons issued before. */
  changedBy(
    kind: EventKind,
    userId: string,
    requestIds: readonly string[],
    changes: Partial<CouponValue>,
  ): LedgerEvent {
    return { kind, writes: [this.changed(userId, requestIds, changes)] };
  }

  /** The id of a coupon issued before, in hex. */
  couponId(userId: string, requestId = 'r1'): string {
    const field = sampleField(userId, requestId).toString('hex');
    return couponIdOf(this.valueOf(field).issuedAtMs, field);
  }

  /** Changes coupons issued before: the write to their wallet. */
  changed(userId: string, requestIds: readonly string[], changes: Partial<CouponValue>): Write {
    const fields = requestIds.map((requestId) => {
      const field = sampleField(userId, requestId);
      const coupon = { ...this.valueOf(field.toString('hex')), ...changes };
      this.values.set(field.toString('hex'), coupon);
      return { field, value: Buffer.from(encodeCouponValue(coupon)) };
    });
    const mark = { field: bytes('@'), value: walletMark(this.live.get(userId) ?? 0) };
    return { target: 'wallet', id: userId, fields: [...fields, mark] };
  }

  /** Takes coupons out of their wallet. */
  dropped(userId: string, requestIds: readonly string[]): Write {
    const fields = requestIds.map((requestId) => ({
      field: sampleField(userId, requestId),
      value: undefined,
    }));
    const mark = { field: bytes('@'), value: walletMark(this.live.get(userId) ?? 0) };
    return { target: 'wallet', id: userId, fields: [...fields, mark] };
  }

  /** Closes a batch: the next entry of the stream. */
  entry(...events: LedgerEvent[]): StreamEntry {
    this.eventsTotal += events.length;
    const timeMs = this.timeMs;
    const seq = this.nextSeq;
    this.nextSeq += 1;
    return {
      seq,
      payload: encodeEntry({ formatVersion: ENTRY_FORMAT, timeMs, eventsTotal: this.eventsTotal, events }),
    };
  }

  private valueOf(fieldHex: string): CouponValue {
    const coupon = this.values.get(fieldHex);
    if (coupon === undefined) throw new RangeError('no such coupon');
    return coupon;
  }

  private newCoupon(ref: number): CouponValue {
    const issuedAtMs = this.timeMs;
    return {
      state: 'unused',
      source: 'claim',
      hidden: false,
      promotionRef: ref,
      promotionVersion: 1,
      issuedAtMs,
      validFromMs: issuedAtMs,
      expiresAtMs: issuedAtMs + 7 * 86_400_000,
    };
  }

  private raise<Key>(figures: Map<Key, number>, key: Key): number {
    const next = (figures.get(key) ?? 0) + 1;
    figures.set(key, next);
    return next;
  }
}

function walletMark(live: number): Buffer {
  const mark = Buffer.alloc(8);
  mark.writeUInt16BE(live, 6);
  return mark;
}
