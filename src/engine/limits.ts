/**
 * Every bound of the engine in one place, each with its unit and the reason for its value.
 */

/** Usable coupons and codes up to which the best combination is proven whatever it takes: what the product promises. */
export const PROVEN_COUPONS = 20;

/**
 * Applications of one candidate that a search may try with more coupons than {@link PROVEN_COUPONS}. One takes about half a
 * microsecond on a cart of 20 lines, so this is some 100 ms: long for a request, short for a worker.
 */
export const SEARCH_APPLICATIONS = 200_000;

/** Near misses in an answer: what a page can show; more of them help nobody. */
export const NEAR_MISSES_SHOWN = 20;

/** Older versions of promotions kept compiled for the coupons that hold them; about 2 KB each. */
export const OLDER_VERSIONS_KEPT = 10_000;
