/** Bounds of what a client does by itself, each with its unit and the reason for its value. */

/** Attempts of one call, the first included: more than four failures in a row are an outage, which repeats do not end. */
export const MAX_ATTEMPTS = 4;
/** First pause between attempts, ms, where the service states none; each further one is twice as long. */
export const FIRST_PAUSE_MS = 50;
/** Longest pause by our own reckoning, ms. What the service asks for is waited for whatever it is, if the deadline allows. */
export const LONGEST_PAUSE_MS = 1_000;
/** Repeats a client may be ahead of its successes: one short disturbance is ridden out by all calls under way. */
export const RETRY_BUDGET = 100;
/** Successes that earn one repeat: in the long run one call in ten may be repeated, so that repeats are no second load. */
export const SUCCESSES_PER_RETRY = 10;
/** Messages a stream may send before it lets the event loop turn, so that the news of its end gets through. */
export const MESSAGES_PER_TURN = 64;

/** Time after which a silent gRPC connection is asked for a sign of life, ms: below what common NAT forgets a flow after. */
export const KEEPALIVE_MS = 30_000;
/** Time the sign of life may take, ms; then the connection counts as dead. */
export const KEEPALIVE_TIMEOUT_MS = 5_000;
/** Shortest time between two look-ups of a name, ms: a pod that has come is found within it once a connection ends. */
export const RESOLVE_AGAIN_MS = 5_000;
/** First and longest pause before a lost connection is opened again, ms: replicas come and go, and come back soon. */
export const RECONNECT_MS = { first: 100, longest: 5_000 } as const;
