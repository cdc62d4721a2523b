/** Bounds of what the main thread gathers for evaluations, each with its unit and the reason for its value. */

/** Counters of limits are read again after this, ms: a shopper does not notice it, and the ledger hardly does. */
export const HINT_REFRESH_MS = 250;
/** Counters older than this, ms, are waited for: nobody asked for a while, and much may have happened. */
export const HINT_OLD_MS = 2_000;
/** Limited promotions read per refresh, in one round trip of some ms; of more, others come next time. */
export const LIMITS_PER_REFRESH = 500;
/** Limits that travel with a cart: what is not among the tightest binds hardly any, and the reservation decides anyway. */
export const LIMITS_SENT = 200;
/** Uses left below which a limit can bind one order: no order uses as many coupons and codes. */
export const NEAR_USES = 21;
/** Money left below which a budget can bind one order, in minor units: hardly any order costs as much. */
export const NEAR_BUDGET_MINOR = 100_000_000;
/** Time one read of counters may take, ms; nobody waits for it but the first cart after a pause. */
export const HINT_READ_MS = 500;
