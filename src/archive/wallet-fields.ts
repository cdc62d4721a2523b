/**
 * Where the archive keeps the fields of a wallet that are not coupons. Two of them change with nearly every event, so they are
 * figures in the row of the coupon the event is about; all others, and those two in an event about no coupon, are rows of
 * `ledger_field`. Together they are the whole wallet: see `wallet-images.ts`.
 */
import { COUPON_FIELD_BYTES } from '../domain/coupon.ts';
import type { FieldWrite, Write } from '../ledger/event-format.ts';
import { claimCounterField, SEQUENCE_FIELD } from '../ledger/record-fields.ts';

/** The wallet's `@`: number of its last event, then its running count of live coupons. */
const LIVE_OFFSET = 6;
const MARK_BYTES = 8;
/** Place of the promotion's ref in a coupon's value. */
const REF_OFFSET = 4;

/** The running count of live coupons a write leaves; undefined when it does not say. */
export function liveIn({ fields }: Write): number | undefined {
  const value = fields.find(({ field }) => field.equals(SEQUENCE_FIELD.bytes))?.value;
  return value?.length === MARK_BYTES ? value.readUInt16BE(LIVE_OFFSET) : undefined;
}

/** A wallet's `@`. */
export function sequenceMark(seq: number, live: number): Buffer {
  const mark = Buffer.alloc(MARK_BYTES);
  mark.writeUIntBE(seq, 0, LIVE_OFFSET);
  mark.writeUInt16BE(live, LIVE_OFFSET);
  return mark;
}

/** How many coupons of a promotion the user has had for life, as a write counts them; undefined when it does not say. */
export function claimsIn({ fields }: Write, promotionRef: number): number | undefined {
  const name = claimCounterField(promotionRef);
  const digits = fields.find(({ field }) => field.equals(name))?.value?.toString('latin1');
  return digits !== undefined && /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}

/** The fields of a write to a wallet that no coupon's row tells. */
export function walletFieldsOfTheirOwn(write: Write): FieldWrite[] {
  const coupons = write.fields.filter(({ field }) => field.length === COUPON_FIELD_BYTES);
  const told = new Set(coupons.flatMap(({ value }) => (value === undefined ? [] : [counterName(value)])));
  if (coupons.length > 0) told.add(SEQUENCE_FIELD.name);
  return write.fields.filter(
    ({ field }) => field.length !== COUPON_FIELD_BYTES && !told.has(field.toString('latin1')),
  );
}

function counterName(value: Buffer): string {
  return claimCounterField(value.readUInt32BE(REF_OFFSET)).toString('latin1');
}
