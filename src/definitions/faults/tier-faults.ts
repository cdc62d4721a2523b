import type { DiscountTier, TieredOff } from '../../gen/hongbao/v1/effect_pb.ts';
import type { Report } from './report.ts';

const PATH = 'effect.tiered_off';
const THRESHOLD_FIELDS = { spendMinor: 'spend_minor', quantity: 'quantity' } as const;
const OFF_FIELDS = {
  amountOffMinor: 'amount_off_minor',
  discountBasisPoints: 'discount_basis_points',
} as const;

/** Tiers of mixed sorts, out of order, or not worth reaching; a money ceiling where no percentage needs one. */
export function tierFaults({ tiers, maxOffMinor }: TieredOff, report: Report): void {
  for (const [index, tier] of tiers.entries()) {
    const before = tiers[index - 1];
    if (before === undefined) continue;
    thresholdFaults(before, tier, `${PATH}.tiers[${index}]`, report);
    offFaults(before, tier, `${PATH}.tiers[${index}]`, report);
  }
  if (maxOffMinor !== undefined && tiers.every(({ off }) => off.case !== 'discountBasisPoints')) {
    report(`${PATH}.max_off_minor`, 'a ceiling on fixed amounts: only percentages take one');
  }
}

function thresholdFaults(before: DiscountTier, tier: DiscountTier, path: string, report: Report): void {
  const [low, high] = [before.threshold, tier.threshold];
  if (low.case === undefined || high.case === undefined) return;
  const field = `${path}.${THRESHOLD_FIELDS[high.case]}`;
  if (low.case !== high.case) {
    report(field, 'all thresholds must be amounts, or all quantities');
  } else if (high.value <= low.value) {
    report(field, 'must be above the threshold of the tier before');
  }
}

function offFaults(before: DiscountTier, tier: DiscountTier, path: string, report: Report): void {
  const [low, high] = [before.off, tier.off];
  if (low.case === undefined || high.case === undefined || low.case !== high.case) return;
  if (high.value <= low.value) {
    report(`${path}.${OFF_FIELDS[high.case]}`, 'must be above what the tier before takes off');
  }
}
