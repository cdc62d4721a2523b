/**
 * Every bound of the archive in one place, each with its unit and the reason for its value.
 */

/** Events that travel in one statement: the rate is flat from 1,000 to 4,000, and a shorter statement holds its locks for less time. */
export const FLUSH_EVENTS = 2_000;
/** Payload bytes in one statement; they travel as hex, so the statement is a little over twice as long. */
export const FLUSH_BYTES = 2 * 1024 * 1024;
/** Entries asked of Redis at once, so that one reply stays small although entries differ in size. */
export const READ_ENTRIES_MAX = 1_024;
/** Entries asked for before anything is known about their size. */
export const READ_ENTRIES_START = 32;

/** An owner that has not been heard of for so long (ms) loses the partition. It renews at a third of it. */
export const LEASE_MS = 6_000;
/** How often a process without the lease asks for it, ms. */
export const STANDBY_POLL_MS = 500;
/** Pause between two looks at an idle stream, ms: part of every coupon's archive lag. */
export const IDLE_POLL_MS = 25;
/** How often an archiver that is level with the stream notes how late it was then, ms; it is written when the lease is renewed. */
export const LEVEL_INTERVAL_MS = 1_000;
/** What a server said is believed for the time so long before, ms: one that was cut off may not know yet that another took over. */
export const LEVEL_MARGIN_MS = 5_000;
/** Pause after a batch that was far from full, ms: a share of the archive lag that saves most of its cost on a busy stream. */
export const FLUSH_INTERVAL_MS = 100;
/** Pause after a store did not answer, ms: short, so that a restarted Redis is opened within 200 ms. */
export const FAULT_PAUSE_MS = 50;
/** Pause before a partition that was stopped is examined again, ms. */
export const HALT_PAUSE_MS = 2_000;

/** A statement of the archiver is ended by the server after this, ms. */
export const STATEMENT_TIMEOUT_MS = 5_000;
/** The archiver stops waiting for a statement after this, ms; a little more than the server's own limit. */
export const STATEMENT_WAIT_MS = 7_000;
/** Time to connect to Postgres, ms. */
export const CONNECT_TIMEOUT_MS = 2_000;

/** Entries replayed into Redis at once. */
export const REPLAY_ENTRIES = 256;

/** Entries in one segment of the log. */
export const LOG_SEGMENT_ENTRIES = 1_000_000;
/** Entries looked at in one statement while a segment is examined, so that none comes near the time-out of statements. */
export const PROJECTED_PER_LOOK = 50_000;
/** Months of coupon segments made ahead of the current one. */
export const COUPON_MONTHS_AHEAD = 2;
/** How often segments are made ahead and quarantined events tried again, ms. */
export const HOUSEKEEPING_MS = 60_000;

/** Entries stay in Redis for this long after they were archived, ms: at least Postgres's recovery point. */
export const TRIM_MARGIN_MS = 600_000;
/** How often the trim point is considered, ms. */
export const TRIM_INTERVAL_MS = 5_000;

/** Events re-projected in one round, so that the archiver is not kept from its stream. */
export const REPROJECT_EVENTS = 1_000;

/** Pause between two looks of those who wait for the archive, ms: a share of what an answer at the level LEDGER takes. */
export const WATCH_PAUSE_MS = 10;
/** The same while Postgres does not answer, ms. */
export const WATCH_FAULT_PAUSE_MS = 100;
/** Time for one look, ms. */
export const WATCH_STATEMENT_MS = 1_000;
/** Coupons asked for in one look. */
export const WATCHED_COUPONS = 2_000;

/** How often a process that starts while Postgres is away asks it which generation is in force, in milliseconds. */
export const GENERATION_RETRY_MS = 500;

/** Users whose wallets a rebuild reads at once. */
export const REBUILD_USERS_PER_PAGE = 500;
/** Fields of other records it reads at once. */
export const REBUILD_FIELDS_PER_PAGE = 5_000;
/** Fields and bytes it writes to Redis in one call, so that no call takes long. */
export const REBUILD_FIELDS_PER_CALL = 4_000;
export const REBUILD_BYTES_PER_CALL = 256 * 1024;
/** An interrupted rebuild keeps others from its partitions for so long, ms. It renews at a third of it. */
export const REBUILD_LEASE_MS = 15_000;
/** How often a rebuild says how far it is, ms. */
export const REBUILD_PROGRESS_MS = 2_000;
/** Time for one statement of a rebuild, ms: it reads pages of large tables. */
export const REBUILD_STATEMENT_MS = 60_000;
/** Events and bytes in one entry that carries records over to a new generation: one statement of the archive. */
export const CARRIED_EVENTS_PER_ENTRY = 1_000;
export const CARRIED_BYTES_PER_ENTRY = 512 * 1024;
/** Carried entries are trimmed behind so many, so that Redis does not hold everything twice. */
export const CARRIED_ENTRIES_KEPT = 16;
