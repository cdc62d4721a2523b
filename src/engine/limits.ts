/**
 * Every bound of the engine in one place, each with its unit and the reason for its value.
 */

/** Usable coupons and codes up to which the best combination is proven: what the product promises. */
export const PROVEN_COUPONS = 20;

/**
 * Work of a search with more coupons than {@link PROVEN_COUPONS}: applications of one candidate, each as many units as the cart
 * has lines and {@link APPLICATION_WORK} more. 200,000 applications on a cart of 20 lines, some 100 ms: long for a request,
 * short for a worker.
 */
export const SEARCH_WORK = 8_000_000;

/**
 * Work after which a search with few coupons gives up its proof. Ordinary promotions need a hundredth of it at most; it is
 * there for those that were made to be hard (many bundles, fixed prices and thresholds after discounts for the whole
 * cart), so that they cost under a second and not the worker its life.
 */
export const PROOF_WORK = 60_000_000;

/** What an application costs beside its lines, in lines. */
export const APPLICATION_WORK = 20;

/** Near misses in an answer: what a page can show; more of them help nobody. */
export const NEAR_MISSES_SHOWN = 20;

/** Older versions of promotions kept compiled for the coupons that hold them; about 2 KB each. */
export const OLDER_VERSIONS_KEPT = 10_000;
