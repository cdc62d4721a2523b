/** Bounds of what protects the servers, each with its unit and the reason for its value. */

/** Client certificates one list may name: more is a directory, which belongs in tokens. */
export const MAX_LISTED_NAMES = 10_000;
/** Time a client has to finish its TLS handshake, ms: five round trips around the world. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Bytes of published keys that are read: a hundred RSA keys have 80 kB. */
export const MAX_KEYS_BYTES = 262_144;
/** Published keys that are kept; each is imported once and then held. */
export const MAX_KEYS = 100;
/** Characters of a key's name; what is longer is nobody's. */
export const MAX_KEY_NAME_LENGTH = 256;
/** Time to fetch the published keys, ms; callers with unknown keys wait for it. */
export const FETCH_KEYS_TIMEOUT_MS = 3_000;
/** Pause between attempts to read keys while there are none, ms: every call is refused for that long. */
export const NO_KEYS_PAUSE_MS = 1_000;
/** Published keys that could not be read again for this long are believed no more, ms: they may have been withdrawn since. */
export const MAX_KEYS_AGE_MS = 3_600_000;
/** Counters of one row of buckets; the callers of one slot share a bucket. A power of two. */
export const BUCKET_SLOTS = 65_536;
/** Seconds of calls a bucket holds when no burst is stated. */
export const DEFAULT_BURST_SECONDS = 2;
