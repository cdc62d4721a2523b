/**
 * What events told about an order: field `e` of the order's record in the ledger, as JSON. Each event only adds to it, so the
 * note is the same in whatever order they come; what follows for points and coupons is worked out from the note.
 */
import { encodeRecordJson, RecordFields } from '../domain/record-json.ts';

/** What is noted of an order. Money in minor units, times in ms since the epoch. */
export interface OrderNote {
  readonly completed?: CompletedNote;
  readonly cancelled?: { readonly eventId: string };
  readonly refunded?: RefundedNote;
}

/** The completion that was told first. */
export interface CompletedNote {
  readonly eventId: string;
  readonly atMs: number;
  readonly paidMinor: number;
  readonly currency: string;
  /** It made the user's first order. */
  readonly isFirst: boolean;
}

/** All refunds together. */
export interface RefundedNote {
  readonly minor: number;
  readonly whole: boolean;
}

const VERSION = 1;

/** The bytes of field `e`. */
export function encodeOrderNote(note: OrderNote): Uint8Array {
  const list = <Item>(item: Item | undefined): Item[] => (item === undefined ? [] : [item]);
  return encodeRecordJson(VERSION, {
    completed: list(note.completed),
    cancelled: list(note.cancelled),
    refunded: list(note.refunded),
  });
}

/** Reads field `e`. Throws CorruptRecordError when the bytes are no such note. */
export function decodeOrderNote(bytes: Uint8Array): OrderNote {
  const fields = RecordFields.decode(bytes, VERSION);
  const [completed] = fields.items('completed', (item) => ({
    eventId: item.text('eventId'),
    atMs: item.whole('atMs'),
    paidMinor: item.whole('paidMinor'),
    currency: item.text('currency'),
    isFirst: item.flag('isFirst'),
  }));
  const [cancelled] = fields.items('cancelled', (item) => ({ eventId: item.text('eventId') }));
  const [refunded] = fields.items('refunded', (item) => ({
    minor: item.whole('minor'),
    whole: item.flag('whole'),
  }));
  return {
    ...(completed !== undefined && { completed }),
    ...(cancelled !== undefined && { cancelled }),
    ...(refunded !== undefined && { refunded }),
  };
}

/** Whether the order is one of those its user has completed. */
export function counts({ completed, cancelled }: OrderNote): boolean {
  return completed !== undefined && cancelled === undefined;
}

/** The note with a completion; the first one told stays. */
export function withCompletion(note: OrderNote, completed: CompletedNote): OrderNote {
  return { ...note, completed: note.completed ?? completed };
}

/** The note with a cancellation. */
export function withCancellation(note: OrderNote, eventId: string): OrderNote {
  return { ...note, cancelled: note.cancelled ?? { eventId } };
}

/** The note with the state of refunds; refunds only grow, so the larger figure is the later one. */
export function withRefund({ refunded, ...note }: OrderNote, { minor, whole }: RefundedNote): OrderNote {
  return {
    ...note,
    refunded: {
      minor: Math.max(minor, refunded?.minor ?? 0),
      whole: whole || refunded?.whole === true,
    },
  };
}

/** Whether nothing of the order is left: it fell through, or all of it was refunded. */
export function isUndone({ completed, cancelled, refunded }: OrderNote): boolean {
  if (cancelled !== undefined || refunded?.whole === true) return true;
  return completed !== undefined && completed.paidMinor > 0 && (refunded?.minor ?? 0) >= completed.paidMinor;
}

/** What remains paid of a completed order, in minor units. */
export function remainingPaidMinor(note: OrderNote): number {
  if (note.completed === undefined || isUndone(note)) return 0;
  return Math.max(0, note.completed.paidMinor - (note.refunded?.minor ?? 0));
}
