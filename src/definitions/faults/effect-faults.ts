import type { EveryAmountOff, FixedPrice, GiftItems, UnitCap } from '../../gen/hongbao/v1/effect_pb.ts';
import type { FaultFinder, Report } from './report.ts';
import { tierFaults } from './tier-faults.ts';

/** Contradictions inside the effect. */
export const effectFaults: FaultFinder = ({ effect }, report) => {
  if (effect === undefined) return;
  unitCapFaults(effect.unitCap, effect.kind.case, report);
  switch (effect.kind.case) {
    case 'giftItems':
      return giftFaults(effect.kind.value, report);
    case 'tieredOff':
      return tierFaults(effect.kind.value, report);
    case 'everyAmountOff':
      return everyAmountFaults(effect.kind.value, report);
    case 'fixedPrice':
      return fixedPriceFaults(effect.kind.value, effect.unitCap, report);
    case 'fixedAmountOff':
    case 'percentOff':
    case 'shippingOff':
    case 'freeShipping':
    case 'noThresholdVoucher':
    case 'buyXGetY':
    case 'bonusPoints':
    case 'pointsMultiplier':
    case undefined:
      return;
  }
};

function unitCapFaults(cap: UnitCap | undefined, kind: string | undefined, report: Report): void {
  if (cap !== undefined && kind !== 'percentOff' && kind !== 'fixedPrice') {
    report('effect.unit_cap', 'only percent_off and fixed_price take a number of units');
  }
}

function giftFaults({ items }: GiftItems, report: Report): void {
  const seen = new Set<string>();
  for (const [index, { itemId }] of items.entries()) {
    if (seen.has(itemId)) report(`effect.gift_items.items[${index}].item_id`, 'the item is listed twice');
    seen.add(itemId);
  }
}

function everyAmountFaults({ amountOffMinor, everyMinor }: EveryAmountOff, report: Report): void {
  if (amountOffMinor > everyMinor) {
    report('effect.every_amount_off.amount_off_minor', 'more is taken off than must be spent (every_minor)');
  }
}

function fixedPriceFaults({ bundleUnits }: FixedPrice, cap: UnitCap | undefined, report: Report): void {
  if (bundleUnits !== undefined && cap !== undefined && cap.maxUnits < bundleUnits) {
    report('effect.unit_cap.max_units', 'fewer units than one bundle has (fixed_price.bundle_units)');
  }
}
