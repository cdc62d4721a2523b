import type { NearMiss, RejectedCandidate } from '../../../src/domain/decision.ts';
import type { Effect, PromotionDefinition } from '../../../src/domain/promotion.ts';
import { byCodeUnits } from './exact-cart.ts';
import { least, shareOf } from './exact-money.ts';

const SHOWN = 20;

/** A rejected candidate with its promotion, if there is one. */
export interface Missed {
  readonly rejected: RejectedCandidate;
  readonly definition: PromotionDefinition | undefined;
}

/** What a somewhat larger cart would get: money before units, the nearest first. */
export function nearMissesOf(missed: readonly Missed[]): NearMiss[] {
  return missed
    .flatMap((each) => nearMissOf(each) ?? [])
    .sort(byNearness)
    .slice(0, SHOWN);
}

function nearMissOf({ rejected, definition }: Missed): NearMiss | undefined {
  const { shortfall, needed, promotionId, source } = rejected;
  if (shortfall === undefined) return undefined;
  const isMoney = shortfall.kind === 'minor' && typeof needed === 'number' && definition !== undefined;
  const wouldSave = isMoney ? offAtSpend(definition.effect, BigInt(needed)) : undefined;
  const miss = { promotionId, source, missing: shortfall.missing, missingKind: shortfall.kind };
  return wouldSave === undefined ? miss : { ...miss, wouldSaveMinor: Number(wouldSave) };
}

function byNearness(one: NearMiss, other: NearMiss): number {
  return (
    Number(one.missingKind === 'units') - Number(other.missingKind === 'units') ||
    one.missing - other.missing ||
    (other.wouldSaveMinor ?? 0) - (one.wouldSaveMinor ?? 0) ||
    byCodeUnits(one.promotionId, other.promotionId)
  );
}

/** What an effect takes off an order of exactly this amount, when the amount alone decides it. */
function offAtSpend(effect: Effect, spend: bigint): bigint | undefined {
  switch (effect.kind) {
    case 'fixed_amount_off':
    case 'no_threshold_voucher':
      return least(BigInt(effect.amountMinor), spend);
    case 'percent_off': {
      if (effect.unitCap !== undefined) return undefined;
      const off = shareOf(spend, effect.basisPoints);
      return effect.maxOffMinor === undefined ? off : least(off, BigInt(effect.maxOffMinor));
    }
    case 'tiered_off': {
      if (effect.thresholdKind === 'quantity') return undefined;
      const reached = effect.tiers.findLast(({ threshold }) => BigInt(threshold) <= spend);
      if (reached === undefined) return 0n;
      if (reached.off.kind === 'amount') return least(BigInt(reached.off.amountMinor), spend);
      const off = shareOf(spend, reached.off.basisPoints);
      return effect.maxOffMinor === undefined ? off : least(off, BigInt(effect.maxOffMinor));
    }
    case 'every_amount_off': {
      const times = least(spend / BigInt(effect.everyMinor), BigInt(effect.maxTimes));
      return least(times * BigInt(effect.amountMinor), spend);
    }
    case 'bonus_points':
    case 'points_multiplier':
      return 0n;
    case 'gift_items':
    case 'shipping_off':
    case 'free_shipping':
    case 'buy_x_get_y':
    case 'fixed_price':
      return undefined;
  }
}
