/** Everything an evaluation must account for, in the order in which it is answered. */
import type { CandidateSource, Failure } from '../../../src/domain/decision.ts';
import type { ItemSelection, PromotionDefinition } from '../../../src/domain/promotion.ts';
import type { EvaluationInput, HeldCoupon } from '../../../src/engine/evaluation-input.ts';
import { byCodeUnits, type ExactCart, isIn } from './exact-cart.ts';

/** Promotions in their current version, and older versions that coupons still hold. */
export interface Definitions {
  readonly current: readonly PromotionDefinition[];
  readonly older: readonly PromotionDefinition[];
}

/** A promotion by itself, a coupon or a code that asks to be applied. */
export interface Contender {
  readonly source: CandidateSource;
  readonly promotionId: string;
  readonly promotionVersion: number;
  readonly expiresAtMs: number;
  /** Absent when it was not found; then there is a failure. */
  readonly definition: PromotionDefinition | undefined;
  readonly failure: Failure | undefined;
}

/** Automatic promotions by ref, then coupons by id, then named coupons that nobody holds, then codes. */
export function contendersOf(definitions: Definitions, input: EvaluationInput, cart: ExactCart): Contender[] {
  const automatic = definitions.current.filter((definition) => appliesByItself(definition, input, cart));
  const coupons = input.coupons.toSorted((one, other) => byCodeUnits(one.couponId, other.couponId));
  return [
    ...automatic
      .sort((one, other) => one.ref - other.ref)
      .map((definition) => contender({ kind: 'automatic' }, definition)),
    ...coupons.map((coupon) => ofCoupon(coupon, definitions, input.atMs)),
    ...couponsNotHeld(input).map((couponId) =>
      contender({ kind: 'coupon', couponId }, undefined, { reason: 'COUPON_NOT_FOUND' }),
    ),
    ...codesOf(input).map((code) => ofCode(code, definitions, input)),
  ];
}

function contender(
  source: CandidateSource,
  definition: PromotionDefinition | undefined,
  failure?: Failure,
): Contender {
  const { id: promotionId = '', version: promotionVersion = 0 } = definition ?? {};
  return { source, promotionId, promotionVersion, expiresAtMs: Infinity, definition, failure };
}

/** Idle automatic promotions are not even candidates: nothing they ask for is in the cart, or it is not their time or user. */
function appliesByItself(
  definition: PromotionDefinition,
  { facts, atMs }: EvaluationInput,
  cart: ExactCart,
): boolean {
  const { reach, isActive, audience, startsAtMs = -Infinity, endsAtMs = Infinity } = definition;
  const isForUser =
    audience.kind !== 'tagged_users' ||
    audience.anyOf.some((tag) => facts.level === tag || facts.tags?.has(tag) === true);
  const isTime = startsAtMs <= atMs && atMs <= endsAtMs;
  const isThere = (wanted: ItemSelection): boolean => cart.lines.some((line) => isIn(line, wanted));
  return (
    reach.kind === 'automatic' && isActive && isForUser && isTime && requiredOf(definition).every(isThere)
  );
}

/** Selections of which at least one item or category must be in the cart. */
function requiredOf({ rules, effect }: PromotionDefinition): ItemSelection[] {
  const isOnItems = !['shipping_off', 'free_shipping', 'bonus_points', 'points_multiplier'].includes(
    effect.kind,
  );
  const ofRules = rules.flatMap((rule) => {
    if (rule.kind === 'item_eligibility' || rule.kind === 'conditional_gift_item') return [rule.selection];
    return rule.kind === 'item_discount_scope' && isOnItems && effect.kind !== 'gift_items'
      ? [rule.selection]
      : [];
  });
  return effect.kind === 'buy_x_get_y' && effect.buy !== undefined ? [...ofRules, effect.buy] : ofRules;
}

const UNUSABLE = {
  used: 'COUPON_USED',
  reserved: 'COUPON_RESERVED',
  revoked: 'COUPON_REVOKED',
  expired: 'COUPON_EXPIRED',
} as const;

function ofCoupon(coupon: HeldCoupon, { current, older }: Definitions, atMs: number): Contender {
  const { couponId, promotionRef, promotionVersion, expiresAtMs = Infinity } = coupon;
  const ofRef = current.find(({ ref }) => ref === promotionRef);
  const definition = [...current, ...older].find(
    ({ ref, version }) => ref === promotionRef && version === promotionVersion,
  );
  const failure =
    checkCoupon(coupon, atMs) ?? (definition ? undefined : { reason: 'PROMOTION_NOT_FOUND' as const });
  const promotionId = (definition ?? ofRef)?.id ?? '';
  return {
    ...contender({ kind: 'coupon', couponId }, definition, failure),
    promotionId,
    promotionVersion,
    expiresAtMs,
  };
}

function checkCoupon({ state, validFromMs, expiresAtMs }: HeldCoupon, atMs: number): Failure | undefined {
  if (state !== 'unused') return { reason: UNUSABLE[state] };
  if (atMs < validFromMs) return { reason: 'COUPON_NOT_STARTED' };
  return expiresAtMs !== undefined && atMs > expiresAtMs ? { reason: 'COUPON_EXPIRED' } : undefined;
}

function couponsNotHeld({ selection, coupons }: EvaluationInput): string[] {
  if (selection.kind === 'best') return [];
  const held = coupons.map(({ couponId }) => couponId);
  return [...new Set(selection.couponIds)].filter((id) => !held.includes(id)).sort(byCodeUnits);
}

/** A code as it is compared. */
export function plainCode(code: string): string {
  return code.trim().toLowerCase();
}

function codesOf({ codes, selection }: EvaluationInput): string[] {
  const all = selection.kind === 'own' ? [...codes, ...selection.codes] : codes;
  return [...new Set(all.map(plainCode))].sort(byCodeUnits);
}

/**
 * Of several promotions with one code the active one counts, then the one that was made first; a public code before a
 * single-use one.
 */
function ofCode(code: string, { current }: Definitions, { resolvedCodes = [] }: EvaluationInput): Contender {
  const source: CandidateSource = { kind: 'code', code };
  const sharing = current.filter(({ reach }) => reach.kind === 'public_code' && reach.code === code);
  const [first] = sharing.sort(
    (one, other) => Number(other.isActive) - Number(one.isActive) || one.ref - other.ref,
  );
  if (first !== undefined) return contender(source, first);
  const single = resolvedCodes.find((each) => each.code === code);
  if (single === undefined) return contender(source, undefined, { reason: 'CODE_UNKNOWN' });
  const definition = current.find(({ ref }) => ref === single.promotionRef);
  if (single.state === 'taken') return contender(source, definition, { reason: 'CODE_USED' });
  return contender(source, definition, definition ? undefined : { reason: 'PROMOTION_NOT_FOUND' });
}
