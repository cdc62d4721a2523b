/**
 * What goes back when units of an order do. All amounts are minor units of the order's currency; `docs/money.md` is the
 * contract.
 *
 * Every policy says what is owed for what the customer keeps; the refund is what was paid less that, less what was refunded
 * before. So whatever is split, and whichever policies are mixed, nothing is refunded twice, and once everything is back
 * the refunds sum to what was paid.
 */
import type { Gift } from './decision.ts';
import { firstUnitsValue } from './money.ts';
import type { Redemption, RedemptionLine } from './redemption.ts';
import { Refusal } from './refusal.ts';

/** How the discounts of an order are treated when a part of it goes back. */
export type RefundPolicy = 'keep' | 'reevaluate' | 'claw_back';

/** What is to go back. */
export interface RefundRequest {
  /** Each line once; 1 or more units of it. */
  readonly lines: readonly { readonly lineId: string; readonly quantity: number }[];
  /** What was paid for shipping too. */
  readonly shipping: boolean;
  readonly policy: RefundPolicy;
}

/** What earlier refunds of the order did beside moving money. */
export interface RefundHistory {
  /** Gifts that were asked back. */
  readonly giftsToReturn: readonly Gift[];
  /** A refund of shipping was asked for, be it of zero. */
  readonly isShippingBack: boolean;
}

/** What stays with the customer after the refund. */
export interface Rest {
  /** Units kept, by line id; lines that went back whole are left out. */
  readonly units: ReadonlyMap<string, number>;
  /** Shipping was neither refunded before nor is it now. */
  readonly isShippingKept: boolean;
}

/** What an applied promotion took off. */
export interface GivenDiscount {
  readonly shares: readonly { readonly lineId: string; readonly amountMinor: number }[];
  readonly shippingDiscountMinor: number;
}

/** What the rules say about the rest; nothing has to be asked of them while discounts are kept. */
export type RestJudgement =
  /** What the rest costs when it is decided about again, and the gifts it then gets. */
  | { readonly kind: 'reevaluated'; readonly payableMinor: number; readonly gifts: readonly Gift[] }
  /** The promotions whose conditions the rest does not meet, and the gifts of the others. */
  | { readonly kind: 'judged'; readonly lost: readonly GivenDiscount[]; readonly gifts: readonly Gift[] };

/** Units of a line that go back, and what was paid for them. */
export interface RefundedLine {
  readonly lineId: string;
  readonly quantity: number;
  readonly refundMinor: number;
}

/** A refund, computed. */
export interface RefundPlan {
  readonly lines: readonly RefundedLine[];
  readonly shippingMinor: number;
  /** What is refunded: lines and shipping less `clawBackMinor`. */
  readonly refundMinor: number;
  /** What is kept back; negative when what an earlier refund kept back is given back, or when the rest became cheaper. */
  readonly clawBackMinor: number;
  readonly giftsToReturn: readonly Gift[];
  /** What all refunds sum to, this one included. */
  readonly refundedTotalMinor: number;
  readonly remainingPayableMinor: number;
  /** No unit is kept: the order ends like one that is returned. */
  readonly isWhole: boolean;
  /** The order's lines and refunded amounts afterwards. */
  readonly after: Pick<Redemption, 'lines' | 'refundedMinor' | 'shippingRefundedMinor'>;
}

/** What was paid for shipping, in minor units. */
function shippingPaidMinor({ shippingMinor, shippingDiscountMinor }: Redemption): number {
  return shippingMinor - shippingDiscountMinor;
}

function lineOf({ lines }: Redemption, lineId: string): RedemptionLine {
  const line = lines.find((each) => each.lineId === lineId);
  if (line !== undefined) return line;
  throw new Refusal('LINE_NOT_FOUND', 'The order has no such line', { metadata: { line_id: lineId } });
}

function requireUnits({ lineId, quantity, returnedQuantity }: RedemptionLine, asked: number): void {
  const left = quantity - returnedQuantity;
  if (asked <= left) return;
  const metadata = { line_id: lineId, needed: String(asked), seen: String(left) };
  throw new Refusal('QUANTITY_ABOVE_REMAINING', 'The line has fewer units that can go back', { metadata });
}

/**
 * What stays with the customer when this goes back. Throws LINE_NOT_FOUND, QUANTITY_ABOVE_REMAINING, or NOTHING_TO_RETURN
 * when only shipping was asked for and nothing of what was paid for it is left.
 */
export function restAfter(redemption: Redemption, request: RefundRequest, history: RefundHistory): Rest {
  for (const { lineId, quantity } of request.lines) requireUnits(lineOf(redemption, lineId), quantity);
  if (request.lines.length === 0 && refundedShipping(redemption, request) === 0)
    throw new Refusal('NOTHING_TO_RETURN', 'Nothing that was paid for shipping is left');
  const going = new Map(request.lines.map(({ lineId, quantity }) => [lineId, quantity]));
  const kept = redemption.lines.map(({ lineId, quantity, returnedQuantity }): [string, number] => [
    lineId,
    quantity - returnedQuantity - (going.get(lineId) ?? 0),
  ]);
  return {
    units: new Map(kept.filter(([, units]) => units > 0)),
    isShippingKept: !(request.shipping || history.isShippingBack),
  };
}

/** Whether the rules have to be asked about the rest before {@link planRefund}. */
export function needsJudgement({ policy }: RefundRequest, { units }: Rest): boolean {
  return policy !== 'keep' && units.size > 0;
}

/** Computes the refund. `judgement` is given where {@link needsJudgement} asks for it. */
export function planRefund(
  redemption: Redemption,
  request: RefundRequest,
  rest: Rest,
  history: RefundHistory,
  judgement?: RestJudgement,
): RefundPlan {
  const lines = request.lines.map(({ lineId, quantity }) =>
    refundedLine(lineOf(redemption, lineId), quantity),
  );
  const shippingMinor = refundedShipping(redemption, request);
  const grossMinor = lines.reduce((sum, { refundMinor }) => sum + refundMinor, shippingMinor);
  const leftMinor = redemption.payableMinor - redemption.refundedMinor;
  const owed = owedMinor(redemption, rest, judgement);
  const refundMinor = Math.max(0, Math.min(leftMinor, owed === undefined ? grossMinor : leftMinor - owed));
  const refundedTotalMinor = redemption.refundedMinor + refundMinor;
  return {
    lines,
    shippingMinor,
    refundMinor,
    clawBackMinor: grossMinor - refundMinor,
    giftsToReturn: giftsToReturn(redemption, rest, history, judgement),
    refundedTotalMinor,
    remainingPayableMinor: redemption.payableMinor - refundedTotalMinor,
    isWhole: rest.units.size === 0,
    after: {
      lines: linesAfter(redemption, lines),
      refundedMinor: refundedTotalMinor,
      shippingRefundedMinor: redemption.shippingRefundedMinor + shippingMinor,
    },
  };
}

/** What was paid for the next units: those behind the units that went back before. */
function refundedLine({ lineId, payableMinor, quantity, returnedQuantity }: RedemptionLine, units: number) {
  const before = firstUnitsValue(payableMinor, quantity, returnedQuantity);
  const after = firstUnitsValue(payableMinor, quantity, returnedQuantity + units);
  return { lineId, quantity: units, refundMinor: after - before };
}

function refundedShipping(redemption: Redemption, { shipping }: RefundRequest): number {
  return shipping ? shippingPaidMinor(redemption) - redemption.shippingRefundedMinor : 0;
}

/** What the customer has to have paid for the rest; undefined: what he did pay, whatever was kept back or given before. */
function owedMinor(
  redemption: Redemption,
  rest: Rest,
  judgement: RestJudgement | undefined,
): number | undefined {
  const shippingMinor = rest.isShippingKept ? shippingPaidMinor(redemption) : 0;
  if (rest.units.size === 0) return shippingMinor;
  if (judgement === undefined) return undefined;
  if (judgement.kind === 'reevaluated') return judgement.payableMinor;
  const paid = redemption.lines.reduce(
    (sum, line) => sum + keptPart(line.payableMinor, line, rest),
    shippingMinor,
  );
  return judgement.lost.reduce((sum, discount) => sum + keptDiscount(redemption, rest, discount), paid);
}

/** The part of a line's amount that lies on its kept units; the first units are those that went back. */
function keptPart(amountMinor: number, { lineId, quantity }: RedemptionLine, { units }: Rest): number {
  const kept = units.get(lineId) ?? 0;
  return amountMinor - firstUnitsValue(amountMinor, quantity, quantity - kept);
}

function keptDiscount(redemption: Redemption, rest: Rest, discount: GivenDiscount): number {
  const shippingMinor = rest.isShippingKept ? discount.shippingDiscountMinor : 0;
  return discount.shares.reduce(
    (sum, { lineId, amountMinor }) => sum + keptPart(amountMinor, lineOf(redemption, lineId), rest),
    shippingMinor,
  );
}

/** All gifts but those the rest keeps and those that were asked back before; in the order in which they were given. */
function giftsToReturn(
  { gifts }: Redemption,
  { units }: Rest,
  history: RefundHistory,
  judgement: RestJudgement | undefined,
): Gift[] {
  if (units.size > 0 && judgement === undefined) return [];
  const given = countGifts(gifts);
  const stay = countGifts(units.size === 0 ? [] : (judgement?.gifts ?? []));
  const asked = countGifts(history.giftsToReturn);
  return [...given].flatMap(([itemId, count]) => {
    const quantity = count - (stay.get(itemId) ?? 0) - (asked.get(itemId) ?? 0);
    return quantity > 0 ? [{ itemId, quantity }] : [];
  });
}

function countGifts(gifts: readonly Gift[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { itemId, quantity } of gifts) counts.set(itemId, (counts.get(itemId) ?? 0) + quantity);
  return counts;
}

function linesAfter({ lines }: Redemption, refunded: readonly RefundedLine[]): RedemptionLine[] {
  const byId = new Map(refunded.map((each) => [each.lineId, each]));
  return lines.map((line) => {
    const back = byId.get(line.lineId);
    if (back === undefined) return line;
    return {
      ...line,
      returnedQuantity: line.returnedQuantity + back.quantity,
      refundedMinor: line.refundedMinor + back.refundMinor,
    };
  });
}
