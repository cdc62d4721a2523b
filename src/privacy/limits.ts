/** Every bound of personal data in one place, each with its unit and the reason for its value. */

/** Coupons that one event of an erasure changes: an event names at most 255 fields of a record. */
export const COUPONS_PER_EVENT = 100;
/** Time for one step of an erasure, ms. */
export const STEP_MS = 5_000;
/** How often erasures that were not finished are looked at, ms. */
export const ERASE_EVERY_MS = 30_000;
/** Erasures looked at in one run. */
export const ERASURES_PER_RUN = 200;
/** Digits of a phone number that are shown at its start and its end. */
export const SHOWN_START = 3;
export const SHOWN_END = 4;
/** Characters that stand for the hidden part of a name at most, so that its length is not told. */
export const NAME_MASK_LENGTH = 2;
/** Rows sealed anew in one go: each costs some microseconds of ciphers and one statement. */
export const RESEALED_AT_ONCE = 200;
