import type { Write } from '../ledger/event-format.ts';
import { PROMOTION_FIELDS } from '../ledger/record-fields.ts';
import { UNMENTIONED } from './coupon-rows.ts';
import { UnprojectableError } from './event-place.ts';
import type { CounterRow } from './projection.ts';

const { issued: ISSUED, received: RECEIVED } = PROMOTION_FIELDS;
const FIGURES: ReadonlySet<string> = new Set([ISSUED.name, RECEIVED.name]);

/** Is this field of a promotion's record one of the figures that have columns of their own? */
export function isFigure(field: Buffer): boolean {
  return FIGURES.has(field.toString('latin1'));
}

/** The figures a write to a promotion tells, if any. Throws {@link UnprojectableError}. */
export function counterRow({ id, fields }: Write, seq: number): CounterRow | undefined {
  const figures = new Map<string, string>();
  for (const { field, value } of fields) {
    if (isFigure(field)) figures.set(field.toString('latin1'), value?.toString('latin1') ?? '');
  }
  if (figures.size === 0) return undefined;
  const issued = figures.get(ISSUED.name);
  const received = figures.get(RECEIVED.name);
  return {
    promotionRef: wholeNumber(id),
    issued: issued === undefined ? 0 : wholeNumber(issued),
    issuedSeq: issued === undefined ? UNMENTIONED : seq,
    received: received === undefined || received === '' ? undefined : wholeNumber(received),
    receivedSeq: received === undefined ? UNMENTIONED : seq,
  };
}

/** The figures after both: of each, the later one that mentions it. */
export function mergeCounters(before: CounterRow, after: CounterRow): CounterRow {
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

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value))
    throw new UnprojectableError(`"${text}" is no figure`);
  return value;
}
