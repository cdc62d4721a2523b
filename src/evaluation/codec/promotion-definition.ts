import { epochMs } from '../../domain/epoch-ms.ts';
import type { Audience, PromotionDefinition, ReachWay } from '../../domain/promotion.ts';
import type { RuleFault } from '../../engine/rule-table.ts';
import { BudgetShortfall, type CodeReach, type Limits } from '../../gen/hongbao/v1/availability_pb.ts';
import { type Promotion, PromotionState } from '../../gen/hongbao/v1/promotion_pb.ts';
import { effectDefinition } from './effect-definition.ts';
import { ruleDefinition } from './rule-definition.ts';
import { nameOf, present, safeNumber, UNKNOWN_KIND, UnreadableError } from './unreadable.ts';

/** A promotion as the engine reads it, or everything that keeps it from being read. */
export type ReadPromotion =
  | { readonly definition: PromotionDefinition; readonly faults?: never }
  | { readonly definition?: never; readonly faults: readonly RuleFault[] };

const SHORTFALLS = new Map<number, 'refuse' | 'cut'>([
  [BudgetShortfall.UNSPECIFIED, 'refuse'],
  [BudgetShortfall.REFUSE, 'refuse'],
  [BudgetShortfall.CUT, 'cut'],
]);

/**
 * A stored version of a promotion in plain types, with every default filled in; its output-only fields are set. Never throws:
 * a part that cannot be read is a fault with its path in the promotion (`rules[2].sale_items.handling`), one per part.
 */
export function promotionDefinition(promotion: Promotion): ReadPromotion {
  const { promotionId, version } = promotion;
  const faults: RuleFault[] = [];
  const read = <Part>(path: string, part: () => Part): Part | undefined => {
    try {
      return part();
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
      const field = error.field === '' ? path : `${path}.${error.field}`;
      faults.push({ promotionId, version, field, reason: error.message });
      return undefined;
    }
  };
  const effect = read('effect', () => effectDefinition(present(promotion.effect, '')));
  const rules = promotion.rules.flatMap((rule, at) => read(`rules[${at}]`, () => ruleDefinition(rule)) ?? []);
  const reach = read('reach', () => reachWay(present(promotion.reach, '')));
  const audience = read('target', () => audienceOf(promotion.target));
  const window = read('validity', () => useWindow(promotion.validity));
  const limits = read('limits', () => budget(promotion.limits));
  if (faults.length > 0 || !effect || !reach || !audience) return { faults };
  return {
    definition: { ...plainFields(promotion), effect, rules, reach, audience, ...window, ...limits },
  };
}

type PartField = 'effect' | 'rules' | 'reach' | 'audience' | 'startsAtMs' | 'endsAtMs' | 'budget';

function plainFields(promotion: Promotion): Omit<PromotionDefinition, PartField> {
  return {
    ref: promotion.ref,
    id: promotion.promotionId,
    version: promotion.version,
    isActive: promotion.state === PromotionState.ACTIVE,
    isUseSuspended: promotion.suspendUse,
    currency: promotion.currency,
    priority: promotion.priority,
    checkAudienceAtUse: promotion.target?.checkAtUse ?? false,
  };
}

/** Days after the claim bound coupons only, and each carries its own end. */
function useWindow(validity: Promotion['validity']): { startsAtMs?: number; endsAtMs?: number } {
  switch (validity?.kind.case) {
    case 'fixedDates': {
      const { startsAt, endsAt } = validity.kind.value;
      return {
        ...(startsAt && { startsAtMs: epochMs(startsAt) }),
        ...(endsAt && { endsAtMs: epochMs(endsAt) }),
      };
    }
    case 'daysAfterClaim':
      return {};
    case undefined:
      if (validity !== undefined) throw new UnreadableError('kind', UNKNOWN_KIND);
      return {};
  }
}

/** An audience of a kind that is not known is nobody, not everybody: the promotion is not read. */
function audienceOf(target: Promotion['target']): Audience {
  switch (target?.audience.case) {
    case 'newUsers': {
      const { registeredWithinDays } = target.audience.value;
      return { kind: 'new_users', ...(registeredWithinDays !== undefined && { registeredWithinDays }) };
    }
    case 'taggedUsers':
      return { kind: 'tagged_users', anyOf: target.audience.value.anyOfTags };
    case 'everyone':
      return { kind: 'everyone' };
    case undefined:
      if (target !== undefined) throw new UnreadableError('audience', UNKNOWN_KIND);
      return { kind: 'everyone' };
  }
}

function reachWay({ way }: NonNullable<Promotion['reach']>): ReachWay {
  switch (way.case) {
    case 'automatic':
      return { kind: 'automatic' };
    case 'claimable':
      return { kind: 'claimable' };
    case 'code':
      return codeReach(way.value);
    case 'pointsExchange':
      return { kind: 'points_exchange' };
    case 'granted':
      return { kind: 'granted' };
    case undefined:
      throw new UnreadableError('way', UNKNOWN_KIND);
  }
}

function codeReach({ codes }: CodeReach): ReachWay {
  switch (codes.case) {
    case 'publicCode':
      return { kind: 'public_code', code: codes.value.code.toLowerCase() };
    case 'singleUseCodes':
      return { kind: 'single_use_codes' };
    case undefined:
      throw new UnreadableError('code.codes', UNKNOWN_KIND);
  }
}

function budget(limits: Limits | undefined): Pick<PromotionDefinition, 'budget'> {
  if (limits?.budget === undefined) return {};
  const { amountMinor, shortfall } = limits.budget;
  return {
    budget: {
      amountMinor: safeNumber(amountMinor, 'budget.amount_minor'),
      shortfall: nameOf(SHORTFALLS, shortfall, 'budget.shortfall'),
    },
  };
}
