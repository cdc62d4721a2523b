import type { FaultFinder } from './report.ts';

/** Settings that the way in does not have. */
export const reachFaults: FaultFinder = ({ reach, stock, validity }, report) => {
  if (reach?.way.case !== 'automatic') return;
  if (stock !== undefined) report('stock', 'an automatic promotion issues no coupons, so it has no stock');
  if (validity?.kind.case === 'daysAfterClaim') {
    report('validity.days_after_claim', 'an automatic promotion is not claimed; use fixed_dates');
  }
};
