/** Every bound of the points, with its unit and the reason for its value. */

/** Accounts the expiry job reads at once: one statement stays short, and so does what a stopped run repeats. */
export const EXPIRY_ACCOUNTS = 1_000;

/** Accounts whose points the expiry job ends at a time: they travel together and leave room for the calls of users. */
export const EXPIRY_PARALLEL = 50;

/** Time for reading a batch of accounts and for ending the points of one, in milliseconds. */
export const EXPIRY_STEP_MS = 10_000;

/** Characters of a reason that are stored; the contract allows as many. */
export const REASON_LENGTH = 500;

/** Transactions read at once for a page: the largest page and the one that tells whether more follow. */
export const HISTORY_CHUNK = 101;
