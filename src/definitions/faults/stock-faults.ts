import type { FaultFinder } from './report.ts';

/** Quantities and limits per user that cannot both be meant. */
export const stockFaults: FaultFinder = ({ stock }, report) => {
  if (stock?.perUserLimit === undefined) return;
  if (stock.unlimitedPerUser) {
    report('stock.per_user_limit', 'must be absent when unlimited_per_user is set');
  }
  const { quantity } = stock;
  if (quantity !== undefined && quantity > 0n && BigInt(stock.perUserLimit) > quantity) {
    report('stock.per_user_limit', 'one user may claim more than there is (quantity)');
  }
};
