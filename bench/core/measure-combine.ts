/** Measures how long our engine takes for a cart when the wallet holds many coupons that could be used. */
import { evaluateCart } from '../../src/engine/evaluate-cart.ts';
import { benchCart, benchInput } from '../rule-sets/carts.ts';
import { COUPON_PROMOTIONS, couponPromotions, wallet } from '../rule-sets/wallets.ts';
import type { CombineJob, CombineResult } from './core-job.ts';
import { loadTable } from './engines/ours.ts';
import { timeCalls } from './time-calls.ts';

/** Wallets of one size; each holds other coupons, and is met with another cart. */
const WALLETS = 64;

/** Lines of the carts. */
const LINES = 20;

/** Whole evaluations, of which the combination is the largest part: a caller cannot have the one without the other. */
export async function measureCombine(job: CombineJob): Promise<CombineResult> {
  const table = loadTable(couponPromotions(COUPON_PROMOTIONS));
  const inputs = Array.from({ length: WALLETS }, (_, variant) =>
    benchInput(benchCart(LINES, variant), wallet(job.coupons, variant), job.couponsPerOrder),
  );
  const decisions = inputs.map((input) => evaluateCart(table, input));
  const times = await timeCalls(
    inputs.map((input) => () => evaluateCart(table, input)),
    job.warmUpMs,
    job.measureMs,
  );
  return {
    ...times,
    wallets: WALLETS,
    proven: decisions.filter(({ isProvenOptimal }) => isProvenOptimal).length,
    appliedPerOrder: decisions.reduce((sum, { applied }) => sum + applied.length, 0) / WALLETS,
  };
}
