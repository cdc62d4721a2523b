import { compareTexts } from '../engine/compare-texts.ts';
import { evaluateCart } from '../engine/evaluate-cart.ts';
import type { HeldCoupon } from '../engine/evaluation-input.ts';
import { judgeCoupons, type Verdict } from '../engine/judge-coupons.ts';
import type { RuleTable, VersionName } from '../engine/rule-table.ts';
import { judgeSummary } from '../engine/summary/judge-summary.ts';
import { byCouponId } from './by-coupon-id.ts';
import {
  type CouponQuestion,
  readUsableCouponsQuestion,
  readValidationQuestion,
  type ValidationQuestion,
} from './codec/read-coupon-question.ts';
import { type Circumstances, readEvaluation } from './codec/read-evaluation.ts';
import { writeUsableCoupons, writeValidation } from './codec/write-coupon-answers.ts';
import { writeDecision } from './codec/write-decision.ts';
import { factsDigest } from './facts-digest.ts';
import { knownLive } from './live-inputs.ts';
import type { EvaluationItem } from './pending-evaluation.ts';
import { readPromotion } from './read-promotion.ts';
import type { Outcome } from './result-format.ts';
import { walletIn } from './wallet-in.ts';

/** Coupons one list holds; as the contract says. */
const LISTED_COUPONS = 500;

/** Decides one item. Throws a refusal when the request is malformed. */
export function answerItem(item: EvaluationItem, table: RuleTable, couponsPerOrder: number): Outcome {
  const { areFactsBelieved, nowMs, bodies } = item;
  for (const body of bodies) {
    const { definition } = readPromotion(body);
    if (definition !== undefined) table.addVersion(definition);
  }
  const circumstances = { areFactsBelieved, nowMs, couponsPerOrder, live: knownLive(item.live) };
  switch (item.kind) {
    case 'evaluate_cart':
      return decideCart(item, table, circumstances);
    case 'list_usable_coupons':
      return listUsable(item, table, circumstances);
    case 'validate_coupon':
      return validate(item, table, circumstances);
  }
}

function decideCart(item: EvaluationItem, table: RuleTable, circumstances: Circumstances): Outcome {
  const { input, explains, heldCoupons } = readEvaluation(item.request, circumstances);
  const coupons = heldCoupons?.toSorted(byCouponId) ?? walletIn(item.wallet);
  const resolvedCodes = (input.resolvedCodes ?? []).toSorted((left, right) =>
    compareTexts(left.code, right.code),
  );
  return withVersions(item, table, coupons, () => {
    const decision = evaluateCart(table, { ...input, coupons });
    const { facts } = input;
    return writeDecision(decision, {
      cart: input.cart,
      atMs: input.atMs,
      factsDigest: factsDigest({ facts, coupons, codes: resolvedCodes, limits: decision.limits ?? [] }),
      ...(explains && { inputs: { wallet: coupons, facts, resolvedCodes } }),
    });
  });
}

/** Answers once the table has every version the coupons hold, apart from those that could not be found. */
function withVersions(
  { lookedUp }: EvaluationItem,
  table: RuleTable,
  coupons: readonly HeldCoupon[],
  respond: () => Uint8Array,
): Outcome {
  const versions = table
    .missingVersions(coupons)
    .filter((missing) => !lookedUp.some((name) => isSame(name, missing)));
  return versions.length > 0 ? { kind: 'needs', versions } : { kind: 'answered', response: respond() };
}

function isSame(left: VersionName, right: VersionName): boolean {
  return left.ref === right.ref && left.version === right.version;
}

function listUsable(item: EvaluationItem, table: RuleTable, circumstances: Circumstances): Outcome {
  const question = readUsableCouponsQuestion(item.request, circumstances);
  const { atMs } = question.input;
  const coupons = walletIn(item.wallet)
    .filter((coupon) => isLive(coupon, atMs))
    .slice(0, LISTED_COUPONS);
  return withVersions(item, table, coupons, () =>
    writeUsableCoupons(verdicts(table, question, coupons), coupons, {
      ruleSetVersion: table.version,
      atMs,
    }),
  );
}

/** Not used, taken back or over; it may be held for an order or not have begun. */
function isLive({ state, expiresAtMs = Number.POSITIVE_INFINITY }: HeldCoupon, atMs: number): boolean {
  return (state === 'unused' || state === 'reserved') && atMs <= expiresAtMs;
}

function validate(item: EvaluationItem, table: RuleTable, circumstances: Circumstances): Outcome {
  const question = readValidationQuestion(item.request, circumstances);
  const { subject, input } = question;
  const coupons =
    subject.kind === 'coupon'
      ? walletIn(item.wallet).filter(({ couponId }) => couponId === subject.couponId)
      : [];
  return withVersions(item, table, coupons, () => {
    const [verdict = unknown(subject)] = verdicts(table, question, coupons);
    return writeValidation(verdict, { ruleSetVersion: table.version, atMs: input.atMs });
  });
}

/** The verdict on a coupon the user does not hold, or on a code no promotion has. */
function unknown(subject: ValidationQuestion['subject']): Verdict {
  const nothing = { promotionId: '', promotionVersion: 0 };
  return subject.kind === 'coupon'
    ? { ...nothing, source: subject, failure: { reason: 'COUPON_NOT_FOUND' } }
    : { ...nothing, source: subject, failure: { reason: 'CODE_UNKNOWN' } };
}

function verdicts(
  table: RuleTable,
  { order, input }: CouponQuestion,
  coupons: readonly HeldCoupon[],
): readonly Verdict[] {
  return order.kind === 'cart'
    ? judgeCoupons(table, { ...input, cart: order.cart, coupons })
    : judgeSummary(table, { ...input, summary: order.summary, coupons });
}
