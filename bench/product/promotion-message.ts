/** The contract's message of a promotion of the benchmark, the other way round from what the service does when it loads one. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type Timestamp, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Effect, ItemSelection, PromotionDefinition, Rule, Tier } from '../../src/domain/promotion.ts';
import type { ReachSchema, TargetSchema } from '../../src/gen/hongbao/v1/availability_pb.ts';
import {
  type DiscountTierSchema,
  EffectKind,
  type EffectSchema,
  type ItemSelectionSchema,
  PercentBase,
  UnitChoice,
} from '../../src/gen/hongbao/v1/effect_pb.ts';
import { type Promotion, PromotionSchema, PromotionState } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import { type RuleSchema, StackingMode } from '../../src/gen/hongbao/v1/rule_pb.ts';

/** The message, active, as its first version; throws for kinds no promotion of the benchmark is of. */
export function promotionMessage(definition: PromotionDefinition, createdAtMs: number): Promotion {
  return create(PromotionSchema, {
    promotionId: definition.id,
    ref: definition.ref,
    version: definition.version,
    etag: `"${definition.version}"`,
    state: PromotionState.ACTIVE,
    name: { en: `Benchmark ${definition.ref}`, zh: `压测 ${definition.ref}` },
    currency: definition.currency,
    priority: definition.priority,
    effect: { kind: effectOf(definition.effect) },
    rules: definition.rules.map((rule) => ({ kind: ruleOf(rule) })),
    reach: { way: wayOf(definition) },
    ...targetOf(definition),
    validity: validityOf(definition),
    createdAt: timestampFromMs(createdAtMs),
    updatedAt: timestampFromMs(createdAtMs),
  });
}

type EffectInit = NonNullable<MessageInitShape<typeof EffectSchema>['kind']>;
type RuleInit = NonNullable<MessageInitShape<typeof RuleSchema>['kind']>;
type WayInit = NonNullable<MessageInitShape<typeof ReachSchema>['way']>;

function effectOf(effect: Effect): EffectInit {
  switch (effect.kind) {
    case 'fixed_amount_off':
      return { case: 'fixedAmountOff', value: { amountMinor: BigInt(effect.amountMinor) } };
    case 'percent_off':
      return {
        case: 'percentOff',
        value: {
          discountBasisPoints: effect.basisPoints,
          base: PercentBase.REMAINING,
          ...(effect.maxOffMinor === undefined ? {} : { maxOffMinor: BigInt(effect.maxOffMinor) }),
        },
      };
    case 'tiered_off':
      return { case: 'tieredOff', value: { tiers: effect.tiers.map(tierOf) } };
    case 'every_amount_off': {
      const { everyMinor, amountMinor, maxTimes } = effect;
      const value = { everyMinor: BigInt(everyMinor), amountOffMinor: BigInt(amountMinor), maxTimes };
      return { case: 'everyAmountOff', value };
    }
    default:
      return otherEffectOf(effect);
  }
}

function otherEffectOf(effect: Effect): EffectInit {
  switch (effect.kind) {
    case 'buy_x_get_y': {
      const { buyQuantity, getQuantity, basisPoints, maxGroups } = effect;
      const rewardChoice = UnitChoice.CHEAPEST;
      return {
        case: 'buyXGetY',
        value: { buyQuantity, getQuantity, discountBasisPoints: basisPoints, maxGroups, rewardChoice },
      };
    }
    case 'gift_items':
      return { case: 'giftItems', value: { items: [...effect.items] } };
    case 'shipping_off':
      return { case: 'shippingOff', value: { amountMinor: BigInt(effect.amountMinor) } };
    case 'free_shipping':
      return { case: 'freeShipping', value: {} };
    case 'bonus_points':
      return { case: 'bonusPoints', value: { points: BigInt(effect.points) } };
    case 'points_multiplier':
      return { case: 'pointsMultiplier', value: { multiplierBasisPoints: effect.multiplierBasisPoints } };
    default:
      throw new Error(`no promotion of the benchmark has the effect ${effect.kind}`);
  }
}

function tierOf({ threshold, off }: Tier): MessageInitShape<typeof DiscountTierSchema> {
  return {
    threshold: { case: 'spendMinor', value: BigInt(threshold) },
    off:
      off.kind === 'amount'
        ? { case: 'amountOffMinor', value: BigInt(off.amountMinor) }
        : { case: 'discountBasisPoints', value: off.basisPoints },
  };
}

function ruleOf(rule: Rule): RuleInit {
  switch (rule.kind) {
    case 'minimum_spend':
      return { case: 'minimumSpend', value: { amountMinor: BigInt(rule.amountMinor) } };
    case 'item_eligibility':
      return { case: 'itemEligibility', value: { selection: selectionOf(rule.selection) } };
    case 'item_discount_scope':
      return { case: 'itemDiscountScope', value: { selection: selectionOf(rule.selection) } };
    case 'channel':
      return { case: 'channel', value: { channels: [...rule.channels] } };
    case 'stackability':
      return { case: 'stackability', value: stackingOf(rule) };
    default:
      throw new Error(`no promotion of the benchmark has the rule ${rule.kind}`);
  }
}

function selectionOf({ itemIds, categoryIds }: ItemSelection): MessageInitShape<typeof ItemSelectionSchema> {
  return { itemIds: [...itemIds], categoryIds: [...categoryIds] };
}

function stackingOf(rule: Extract<Rule, { kind: 'stackability' }>) {
  const excludesPercentages = rule.excludedKinds.includes('percent_off');
  return {
    mode: rule.mode === 'alone' ? StackingMode.ALONE : StackingMode.COMBINES,
    excludedKinds: excludesPercentages ? [EffectKind.PERCENT_OFF] : [],
    exclusiveGroups: [...rule.exclusiveGroups],
  };
}

function wayOf({ id, reach }: PromotionDefinition): WayInit {
  if (reach.kind === 'automatic' || reach.kind === 'claimable') return { case: reach.kind, value: {} };
  throw new Error(`${id}: no promotion of the benchmark reaches people as ${reach.kind}`);
}

function targetOf({ id, audience }: PromotionDefinition): { target?: MessageInitShape<typeof TargetSchema> } {
  if (audience.kind === 'everyone') return {};
  if (audience.kind === 'new_users') throw new Error(`${id}: no promotion of the benchmark is for new users`);
  return { target: { audience: { case: 'taggedUsers', value: { anyOfTags: [...audience.anyOf] } } } };
}

function validityOf({ startsAtMs, endsAtMs }: PromotionDefinition) {
  const instant = (name: string, ms: number | undefined): Record<string, Timestamp> =>
    ms === undefined ? {} : { [name]: timestampFromMs(ms) };
  const value = { ...instant('startsAt', startsAtMs), ...instant('endsAt', endsAtMs) };
  return { kind: { case: 'fixedDates' as const, value } };
}
