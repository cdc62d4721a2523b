/** What a case says about the answer. What it does not say may be anything; what it says must be exactly so. */
import { z } from 'zod';
import type { Cart } from '../../src/domain/cart.ts';
import type { CandidateSource, Decision, RejectedCandidate } from '../../src/domain/decision.ts';
import { REJECTION_REASONS } from '../../src/domain/decision.ts';

const whole = z.int();

/** `{ a: 10, b: 20 }` by line id; a line that is not named has nothing. As a list, so that no line is overlooked. */
const byLine = z.record(z.string(), whole).transform(sortedEntries);

function sortedEntries<Value>(record: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1));
}

const source = {
  promotion: z.string(),
  coupon: z.string().exactOptional(),
  code: z.string().exactOptional(),
};

/** The part of the answer a case states. */
export const expectationFormat = z.strictObject({
  items: whole.exactOptional(),
  itemsDiscount: whole.exactOptional(),
  shipping: whole.exactOptional(),
  shippingDiscount: whole.exactOptional(),
  payable: whole.exactOptional(),
  points: whole.exactOptional(),
  /** What each line costs in the end. */
  pays: byLine.exactOptional(),
  /** What is taken off each line. */
  discounts: byLine.exactOptional(),
  /** In the order of application; none is left out. */
  applied: z
    .array(
      z.strictObject({
        ...source,
        version: whole.exactOptional(),
        class: z.enum(['item', 'order', 'shipping', 'benefit']).exactOptional(),
        discount: whole.exactOptional(),
        shippingDiscount: whole.exactOptional(),
        shares: byLine.exactOptional(),
        /** Runs of units by line: `{ a: [[2, 334], [1, 333]] }`. */
        units: z
          .record(z.string(), z.array(z.tuple([whole, whole])))
          .transform(sortedEntries)
          .exactOptional(),
        gifts: z.array(z.tuple([z.string(), whole])).exactOptional(),
        points: whole.exactOptional(),
      }),
    )
    .exactOptional(),
  /** Automatic ones by their order in the case, then coupons, then codes; none is left out. */
  rejected: z
    .array(
      z.strictObject({
        ...source,
        reason: z.enum(REJECTION_REASONS),
        rule: whole.exactOptional(),
        needed: z.union([whole, z.string()]).exactOptional(),
        seen: z.union([whole, z.string()]).exactOptional(),
        missing: z
          .strictObject({ minor: whole.exactOptional(), units: whole.exactOptional() })
          .exactOptional(),
        conflictsWith: z.array(z.string()).exactOptional(),
      }),
    )
    .exactOptional(),
  nearMisses: z
    .array(
      z.strictObject({
        ...source,
        minor: whole.exactOptional(),
        units: whole.exactOptional(),
        wouldSave: whole.exactOptional(),
      }),
    )
    .exactOptional(),
});

/** An answer in the words of {@link expectationFormat}. */
export function inCaseWords(decision: Decision, cart: Cart): Record<string, unknown> {
  const lineId = (lineIndex: number): string => cart.lines[lineIndex]?.lineId ?? '?';
  const perLine = (amountOf: (line: Decision['lines'][number]) => number): [string, number][] =>
    sortedEntries(Object.fromEntries(decision.lines.map((line, at) => [lineId(at), amountOf(line)])));
  const { totals } = decision;
  return {
    items: totals.itemsMinor,
    itemsDiscount: totals.itemsDiscountMinor,
    shipping: totals.shippingMinor,
    shippingDiscount: totals.shippingDiscountMinor,
    payable: totals.payableMinor,
    points: decision.bonusPoints,
    pays: perLine(({ payableMinor }) => payableMinor),
    discounts: perLine(({ discountMinor }) => discountMinor).filter(([, amount]) => amount > 0),
    applied: decision.applied.map((each) => ({
      ...sourceWords(each.promotionId, each.source),
      version: each.promotionVersion,
      class: each.class,
      discount: each.discountMinor,
      shippingDiscount: each.shippingDiscountMinor,
      shares: sortedEntries(
        Object.fromEntries(each.shares.map((one) => [lineId(one.lineIndex), one.amountMinor])),
      ),
      units: sortedEntries(
        Object.fromEntries(
          each.shares.map((one) => [
            lineId(one.lineIndex),
            one.units.map((run) => [run.units, run.amountMinor]),
          ]),
        ),
      ),
      gifts: each.gifts.map(({ itemId, quantity }) => [itemId, quantity]),
      points: each.bonusPoints,
    })),
    rejected: decision.rejected.map(rejectedWords),
    nearMisses: decision.nearMisses.map((miss) => ({
      ...sourceWords(miss.promotionId, miss.source),
      [miss.missingKind]: miss.missing,
      ...(miss.wouldSaveMinor === undefined ? {} : { wouldSave: miss.wouldSaveMinor }),
    })),
  };
}

function rejectedWords({
  promotionId,
  source: from,
  ruleIndex,
  ruleKind: _,
  shortfall,
  ...rest
}: RejectedCandidate) {
  return {
    ...sourceWords(promotionId, from),
    ...rest,
    rule: ruleIndex,
    ...(shortfall === undefined ? {} : { missing: { [shortfall.kind]: shortfall.missing } }),
  };
}

function sourceWords(promotion: string, from: CandidateSource): Record<string, string> {
  if (from.kind === 'coupon') return { promotion, coupon: from.couponId };
  return from.kind === 'code' ? { promotion, code: from.code } : { promotion };
}
