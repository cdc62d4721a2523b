/**
 * Reads an EvaluateCartResponse as far as an order needs it; what is only kept or passed on stays bytes. The general decoder
 * makes objects of every share of every line, and encoding them again to keep them costs as much once more.
 */
import { WireReader } from '../wire/wire-reader.ts';

/** What a promotion was applied by. */
export type AppliedSource =
  | { readonly case: 'couponId' | 'code'; readonly value: string }
  | { readonly case: undefined; readonly value?: undefined };

/** A promotion that was applied. Money in minor units. */
export interface AppliedPromotion {
  promotionId: string;
  promotionVersion: number;
  source: AppliedSource;
  discountMinor: number;
  readonly gifts: { itemId: string; quantity: number }[];
}

/** Money in minor units. */
export interface DecidedTotals {
  itemsMinor: number;
  shippingMinor: number;
  itemsDiscountMinor: number;
  shippingDiscountMinor: number;
  payableMinor: number;
}

/** A decision on a cart. Money in minor units. */
export interface Decision {
  ruleSetVersion: number;
  bonusPoints: number;
  readonly totals: DecidedTotals;
  /** What each line costs, in order. */
  readonly payableMinors: number[];
  readonly applied: AppliedPromotion[];
  /** The whole response. */
  readonly bytes: Uint8Array;
  /** Parts of the response that together are the response without what tells how it came to be. */
  readonly kept: Uint8Array[];
  /** Messages of the contract: what the decision was made with. */
  facts: Uint8Array | undefined;
  readonly liveLimits: Uint8Array[];
  readonly resolvedCodes: Uint8Array[];
}

/** Field numbers; a test holds them to the contract. */
const RESPONSE = {
  ruleSetVersion: 1,
  lines: 2,
  totals: 3,
  applied: 4,
  rejected: 5,
  nearMisses: 6,
  bonusPoints: 7,
  wallet: 11,
  trace: 12,
  facts: 13,
  liveLimits: 14,
  resolvedCodes: 15,
} as const;
const LINE = { payableMinor: 4 } as const;
const TOTALS = {
  itemsMinor: 1,
  shippingMinor: 2,
  itemsDiscountMinor: 3,
  shippingDiscountMinor: 4,
  payableMinor: 5,
} as const;
const APPLIED = {
  promotionId: 1,
  promotionVersion: 2,
  couponId: 3,
  code: 4,
  discountMinor: 6,
  gifts: 9,
} as const;
const GIFT = { itemId: 1, quantity: 2 } as const;

/** Fields that tell how the decision came to be, or what it was made with. */
const NOT_KEPT: ReadonlySet<number> = new Set([
  RESPONSE.rejected,
  RESPONSE.nearMisses,
  RESPONSE.wallet,
  RESPONSE.trace,
  RESPONSE.facts,
  RESPONSE.liveLimits,
  RESPONSE.resolvedCodes,
]);

const OUTERMOST = 1;

/** Reads a response of our own. Throws MalformedMessageError when it is none. */
export function readDecision(bytes: Uint8Array): Decision {
  const decision = emptyDecision(bytes);
  const reader = new WireReader(bytes);
  let keptFrom = 0;
  while (reader.position < reader.length) {
    const start = reader.position;
    const tag = reader.tag();
    readField(tag, reader, decision);
    if (!NOT_KEPT.has(tag >>> 3)) continue;
    if (start > keptFrom) decision.kept.push(bytes.subarray(keptFrom, start));
    keptFrom = reader.position;
  }
  if (reader.length > keptFrom) decision.kept.push(bytes.subarray(keptFrom));
  return decision;
}

/** The promotions that were applied, of a response or what was kept of it, as messages of the contract. */
export function appliedMessages(response: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  const reader = new WireReader(response);
  while (reader.position < reader.length) {
    const tag = reader.tag();
    if (tag >>> 3 === RESPONSE.applied) messages.push(reader.bytes());
    else reader.skip(tag, OUTERMOST);
  }
  return messages;
}

function emptyDecision(bytes: Uint8Array): Decision {
  return {
    ruleSetVersion: 0,
    bonusPoints: 0,
    totals: {
      itemsMinor: 0,
      shippingMinor: 0,
      itemsDiscountMinor: 0,
      shippingDiscountMinor: 0,
      payableMinor: 0,
    },
    payableMinors: [],
    applied: [],
    bytes,
    kept: [],
    facts: undefined,
    liveLimits: [],
    resolvedCodes: [],
  };
}

function readField(tag: number, reader: WireReader, decision: Decision): void {
  switch (tag >>> 3) {
    case RESPONSE.ruleSetVersion:
      decision.ruleSetVersion = reader.safeUint64();
      return;
    case RESPONSE.lines:
      decision.payableMinors.push(readPayable(reader));
      return;
    case RESPONSE.totals:
      readTotals(reader, decision.totals);
      return;
    case RESPONSE.applied:
      decision.applied.push(readApplied(reader));
      return;
    case RESPONSE.bonusPoints:
      decision.bonusPoints = reader.safeInt64();
      return;
    case RESPONSE.facts:
      decision.facts = reader.bytes();
      return;
    case RESPONSE.liveLimits:
      decision.liveLimits.push(reader.bytes());
      return;
    case RESPONSE.resolvedCodes:
      decision.resolvedCodes.push(reader.bytes());
      return;
    default:
      reader.skip(tag, OUTERMOST);
  }
}

function readPayable(reader: WireReader): number {
  let payableMinor = 0;
  for (const end = reader.end(); reader.position < end; ) {
    const tag = reader.tag();
    if (tag >>> 3 === LINE.payableMinor) payableMinor = reader.safeInt64();
    else reader.skip(tag, OUTERMOST + 1);
  }
  return payableMinor;
}

function readTotals(reader: WireReader, totals: DecidedTotals): void {
  for (const end = reader.end(); reader.position < end; ) {
    const tag = reader.tag();
    switch (tag >>> 3) {
      case TOTALS.itemsMinor:
        totals.itemsMinor = reader.safeInt64();
        break;
      case TOTALS.shippingMinor:
        totals.shippingMinor = reader.safeInt64();
        break;
      case TOTALS.itemsDiscountMinor:
        totals.itemsDiscountMinor = reader.safeInt64();
        break;
      case TOTALS.shippingDiscountMinor:
        totals.shippingDiscountMinor = reader.safeInt64();
        break;
      case TOTALS.payableMinor:
        totals.payableMinor = reader.safeInt64();
        break;
      default:
        reader.skip(tag, OUTERMOST + 1);
    }
  }
}

function readApplied(reader: WireReader): AppliedPromotion {
  const applied: AppliedPromotion = {
    promotionId: '',
    promotionVersion: 0,
    source: { case: undefined },
    discountMinor: 0,
    gifts: [],
  };
  for (const end = reader.end(); reader.position < end; ) {
    const tag = reader.tag();
    switch (tag >>> 3) {
      case APPLIED.promotionId:
        applied.promotionId = reader.sharedString();
        break;
      case APPLIED.promotionVersion:
        applied.promotionVersion = reader.uint32();
        break;
      case APPLIED.couponId:
        applied.source = { case: 'couponId', value: reader.string() };
        break;
      case APPLIED.code:
        applied.source = { case: 'code', value: reader.string() };
        break;
      case APPLIED.discountMinor:
        applied.discountMinor = reader.safeInt64();
        break;
      case APPLIED.gifts:
        applied.gifts.push(readGift(reader));
        break;
      default:
        reader.skip(tag, OUTERMOST + 1);
    }
  }
  return applied;
}

function readGift(reader: WireReader): { itemId: string; quantity: number } {
  const gift = { itemId: '', quantity: 0 };
  for (const end = reader.end(); reader.position < end; ) {
    const tag = reader.tag();
    if (tag >>> 3 === GIFT.itemId) gift.itemId = reader.string();
    else if (tag >>> 3 === GIFT.quantity) gift.quantity = reader.uint32();
    else reader.skip(tag, OUTERMOST + 2);
  }
  return gift;
}
