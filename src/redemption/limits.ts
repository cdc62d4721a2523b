/** Every bound of redemptions, with its unit and the reason for its value. */

/** How long an order is reserved when the call does not say, in milliseconds: a payment usually takes less. */
export const HOLD_DEFAULT_MS = 15 * 60_000;

/**
 * Request ids an order remembers of earlier reservations, commits and releases. They come with people's attempts to pay, so
 * more are a fault of the caller; the oldest are forgotten first.
 */
export const REQUESTS_KEPT = 50;

/**
 * Codes are held at least this long beyond the deadline of the call that holds them, in milliseconds, before the sweep asks
 * what became of their order: no call that is still under way may lose them.
 */
export const CODE_HOLD_MARGIN_MS = 30_000;

/** How long the sweep rests, in milliseconds; what lapsed must be free within 5 seconds. */
export const SWEEP_EVERY_MS = 1_000;

/** Orders the sweep reads from the due set at once. */
export const SWEEP_BATCH = 500;

/** Orders the sweep lets lapse at the same time: enough to travel together, few enough not to be felt. */
export const SWEEP_PARALLEL = 50;

/** Time the sweep gives one order, in milliseconds; one that takes longer is met again a second later. */
export const SWEEP_ORDER_MS = 2_000;
