/** Every bound of the evaluation pools, with its unit and the reason for its value. */

/**
 * Requests one batch carries at most. A hop to a worker costs the main thread 30 to 75 µs however full the batch is, and the
 * worker stands idle until the main thread has taken the result and sent the next batch; with 64 both are a few percent. The
 * first of a batch waits for the last, some 3 ms for carts of 20 lines, so more would cost latency and save little.
 */
export const BATCH_REQUESTS = 64;

/**
 * Batches that may be with one thread for light requests: one being served and the next one waiting at its door. With one, two
 * cores stood idle for a third of the time at the peak, while main thread and worker waited for each other in turn.
 */
export const LIGHT_BATCHES_PER_THREAD = 2;

/** Bytes one batch carries at most, unless a single request is larger: some eighty carts of 20 lines. */
export const BATCH_BYTES = 131_072;

/** A larger request is heavy: it never shares a batch and never runs in the worker threads of the light ones. */
export const HEAVY_REQUEST_BYTES = 16_384;

/** A wallet with more coupons is heavy: searching their combinations takes milliseconds. */
export const HEAVY_COUPONS = 20;

/** A request with more codes is heavy, for the same reason. */
export const HEAVY_CODES = 20;

/**
 * Time a worker spends on changed promotions in one go, in milliseconds. A batch that arrives meanwhile waits that long, so
 * an import of thousands of promotions slows no request by more.
 */
export const CATCH_UP_MS = 2;

/** Changed promotions compiled between two looks at the clock. */
export const CATCH_UP_STEP = 16;

/** Changed promotions compiled in one go while a thread starts: the more, the less often its index is put in order. */
export const START_STEP = 1_000;

/** Most bytes a log of rules can grow to. Only address space is reserved; memory is used as it fills. */
export const RULE_LOG_BYTES = 1_073_741_824;

/** Bytes a new log of rules starts with. */
export const RULE_LOG_FIRST_BYTES = 1_048_576;

/** A log that is smaller is not worth replacing, however much of it is outdated. */
export const RULE_LOG_REPLACED_FROM_BYTES = 67_108_864;

/** Share of a log that is still in force, below which it is replaced by one without the outdated versions. */
export const RULE_LOG_LIVE_SHARE = 0.25;

/** The same for a log that is more than half full: there even a tenth is worth having back. */
export const RULE_LOG_CROWDED_SHARE = 0.9;

/** Nice value of threads that must not compete with those of light requests. */
export const HEAVY_NICENESS = 5;

/**
 * Wait before a thread that could not even start is started again, in milliseconds: one that fails every time must not keep a
 * core busy, and a second without it is bearable.
 */
export const REVIVE_AFTER_MS = 1_000;

/**
 * Time the first task of a thread that is started again may take, in milliseconds: it waits until the rules are compiled, which
 * takes seconds for a large set.
 */
export const REVIVE_LIMIT_MS = 60_000;

/** Rounds in which a worker may ask for older versions that coupons hold; one is usual, another when two workers differ. */
export const VERSION_ROUNDS = 2;

/** Replays that may wait; one runs at a time. */
export const REPLAY_QUEUE_LIMIT = 64;

/** Idle time after which the thread for replays ends and gives its memory back, in milliseconds. */
export const REPLAY_IDLE_MS = 60_000;

/** Older rule sets kept for replay, on the main thread as bytes and in the worker compiled. */
export const REPLAYED_RULE_SETS_KEPT = 3;
