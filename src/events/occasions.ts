/** Which promotions answer which event: an index over the promotions in force, made anew when they change. */
import { claimWindowEndMs } from '../definitions/live-definition.ts';
import { epochMs } from '../domain/epoch-ms.ts';
import { type GrantedReach, type ReferralMoment, ReferralSides } from '../gen/hongbao/v1/availability_pb.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import type { RuleSet } from '../ruleset/rule-set.ts';

type OccasionCase = Exclude<GrantedReach['occasion']['case'], undefined>;

/** An active promotion that gives coupons on an occasion. */
export interface GrantingPromotion {
  readonly ref: number;
  readonly promotion: Promotion;
  readonly occasion: GrantedReach['occasion'];
}

/** Who a referral gives a coupon to. */
export type ReferralSide = 'inviter' | 'invitee';

const indexes = new WeakMap<
  RuleSet,
  ReadonlyMap<GrantedReach['occasion']['case'], readonly GrantingPromotion[]>
>();

function indexOf(
  rules: RuleSet,
): ReadonlyMap<GrantedReach['occasion']['case'], readonly GrantingPromotion[]> {
  const known = indexes.get(rules);
  if (known !== undefined) return known;
  const granting = [...rules.entries()].flatMap((entry): GrantingPromotion[] => {
    // Most promotions are not granted, and need not be decoded to know that.
    if (entry.state !== 'active' || entry.way !== 'granted') return [];
    const { ref, promotion } = entry;
    const way = promotion.reach?.way;
    return way?.case === 'granted' ? [{ ref, promotion, occasion: way.value.occasion }] : [];
  });
  const inOrder = granting.toSorted(
    (left, right) => right.promotion.priority - left.promotion.priority || left.ref - right.ref,
  );
  const index = Map.groupBy(inOrder, ({ occasion }) => occasion.case);
  indexes.set(rules, index);
  return index;
}

function isOpen({ promotion }: GrantingPromotion, nowMs: number): boolean {
  const startMs = epochMs(promotion.stock?.claimStartsAt);
  const endMs = claimWindowEndMs(promotion);
  return (startMs === undefined || startMs <= nowMs) && (endMs === undefined || endMs >= nowMs);
}

/** Active promotions of an occasion whose window is open, highest priority first. */
export function grantingOn(rules: RuleSet, occasion: OccasionCase, nowMs: number): GrantingPromotion[] {
  return (indexOf(rules).get(occasion) ?? []).filter((promotion) => isOpen(promotion, nowMs));
}

/** Promotions for reaching a member level. */
export function grantingAtLevel(rules: RuleSet, level: string, nowMs: number): GrantingPromotion[] {
  return grantingOn(rules, 'memberLevel', nowMs).filter(
    ({ occasion }) => occasion.case === 'memberLevel' && occasion.value.levels.includes(level),
  );
}

const SIDES: Readonly<Record<ReferralSide, ReferralSides>> = {
  inviter: ReferralSides.INVITER,
  invitee: ReferralSides.INVITEE,
};

/** Promotions for a referral that counts at this moment, for one side. */
export function grantingForReferral(
  rules: RuleSet,
  moment: ReferralMoment,
  side: ReferralSide,
  nowMs: number,
): GrantingPromotion[] {
  return grantingOn(rules, 'referral', nowMs).filter(({ occasion }) => {
    if (occasion.case !== 'referral' || occasion.value.moment !== moment) return false;
    return [ReferralSides.BOTH, SIDES[side]].includes(occasion.value.sides);
  });
}

/** Days before a birthday on which a promotion gives its coupon. */
export function daysAhead({ occasion }: GrantingPromotion): number {
  return occasion.case === 'birthday' ? occasion.value.daysAhead : 0;
}
