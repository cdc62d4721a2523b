/** Every bound of the outbound feed in one place, each with its unit and the reason for its value. */

/** Entries of the log read at once; they may be large. */
export const ENTRIES_PER_READ = 64;
/** Notices read at once. */
export const NOTICES_PER_READ = 256;
/** Reads for one batch: events that a filter leaves out must not keep one call busy for long. */
export const READS_PER_BATCH = 32;
/** Promotions whose public id is remembered. */
export const NAMES_KEPT = 10_000;

/** Events in one message of a stream. */
export const STREAM_EVENTS = 200;
/** How often a stream without events says how far it is, ms: also how soon a vanished caller is noticed. */
export const HEARTBEAT_MS = 10_000;
/** How often a process looks for new events, ms, however many streams wait: part of the delay of every event. */
export const HEAD_POLL_MS = 100;
/** Time for one read of the feed, ms. */
export const READ_MS = 5_000;

/** Events in one call of a webhook. */
export const WEBHOOK_EVENTS = 100;
/** Time a webhook has to answer, ms. */
export const WEBHOOK_TIMEOUT_MS = 5_000;
/** Bytes of an answer that are read, for the message about a failure; the rest is cut off. */
export const WEBHOOK_ANSWER_BYTES = 1_024;
/** Characters of a failure that are kept. */
export const WEBHOOK_ERROR_LENGTH = 300;
/** Attempts of one batch; with the pauses below about a day. */
export const WEBHOOK_ATTEMPTS = 14;
/** Pause after the first failed attempt, ms; each further one is three times as long … */
export const WEBHOOK_FIRST_PAUSE_MS = 5_000;
export const WEBHOOK_PAUSE_FACTOR = 3;
/** … up to this, ms … */
export const WEBHOOK_LONGEST_PAUSE_MS = 4 * 3_600_000;
/** … and differs by up to so much of itself, so that webhooks of one host do not come back together. */
export const WEBHOOK_JITTER = 0.2;
/** How often due webhooks are looked for, ms. */
export const WEBHOOK_POLL_MS = 1_000;
/** Longest time of one round over all webhooks, ms; the next one begins at once. */
export const WEBHOOK_ROUND_MS = 20_000;
/** Pause of a webhook without events while others are still busy in the same round, ms. */
export const WEBHOOK_IDLE_MS = 500;
/** Webhooks that may exist; each one reads the feed by itself. */
export const WEBHOOKS_MAX = 100;
/** Dead letters sent again in one round. */
export const RETRIES_PER_ROUND = 50;
/** Delivered dead letters and requests of webhooks are remembered for this long, ms. */
export const REQUESTS_KEPT_MS = 90 * 86_400_000;

/** How often messages to people are looked for, ms. */
export const MESSAGE_POLL_MS = 1_000;
/** Events handed to message adapters before the place is written down. */
export const MESSAGE_EVENTS = 100;
