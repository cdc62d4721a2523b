/** Figures of the load of chaos runs. Times in ms. */

/** What a call may take before its outcome is unknown: short, so that faults show, and above what a slow disk needs. */
export const CALL_TIMEOUT_MS = 2_000;
/** Staff's changes wait for every partition. */
export const STAFF_TIMEOUT_MS = 5_000;
/** Pause before an unknown outcome is asked again: a range, so that clients do not come back all at once. */
export const RETRY_PAUSE_MS = [20, 250] as const;
/** Attempts while the load is on; what is unknown then is asked again at its end. */
export const RETRIES = 6;
/** Pause between attempts at the end, when faults are healed. */
export const SETTLE_PAUSE_MS = 100;
/** Calls kept to be repeated late. */
export const KEPT_FOR_REPEATS = 200;
/** Claims in a batch: a range. */
export const BATCH_ITEMS = [2, 24] as const;
/** How many calls are asked twice at the same moment, and how many are repeated long after. */
export const TWIN_PROBABILITY = 0.05;
export const LATE_PROBABILITY = 0.08;
/** Calls over Connect instead of gRPC. */
export const CONNECT_PROBABILITY = 0.25;
/** Coupons and orders remembered per user; older ones are left alone. */
export const REMEMBERED_PER_USER = 12;
/** Pause between staff's changes: a range. */
export const STAFF_PAUSE_MS = [300, 1_500] as const;
