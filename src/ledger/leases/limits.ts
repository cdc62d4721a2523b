/** Every bound of leases, with its unit and the reason for its value. */

/** A chunk is what is left over so many times the number of partitions: half of a fair share, so that chunks shrink with it. */
export const CHUNKS_PER_PARTITION = 2;

/**
 * For so long, in milliseconds, "nothing is left" may be said again without asking all partitions anew. A unit that came back
 * meanwhile is seen that much later; a new quantity is seen at once, since it has another version.
 */
export const SOLD_OUT_HINT_MS = 250;

/** Promotions whose end is remembered at once; more only cost calls. */
export const SOLD_OUT_HINTS = 10_000;

/** One run may take this long, in milliseconds, whoever waits for it; who still has time begins another one. */
export const RUN_MS = 1_000;

/** First and longest pause, in milliseconds, before a run that met others or found a partition away looks again. */
export const PAUSE_FIRST_MS = 1;
export const PAUSE_LONGEST_MS = 50;
