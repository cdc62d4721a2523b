/** Bounds of tracing, each with its reason. */

/** Spans one trace may get from this process, so that a stream or a job of hours does not make one that nobody can open. */
export const SPANS_PER_TRACE = 500;
/** Links of one span: a call to the ledger may carry more claims than anybody follows. */
export const LINKS_PER_SPAN = 128;
/** Characters of a statement that a span shows. */
export const STATEMENT_CHARACTERS = 1_000;
/**
 * Spans sent at a time, ms between two times, and ms after which a request to the collector is given up, repeats included. Few, because encoding
 * them holds the one thread; and soon, because a process that stops cannot end before.
 */
export const SPANS_PER_EXPORT = 128;
export const EXPORT_INTERVAL_MS = 250;
export const EXPORT_TIMEOUT_MS = 3_000;
/** Longest time a process that stops waits for the collector, ms; less where the grace time of the drain is shorter. */
export const TRACES_STOP_MS = 2_000;
