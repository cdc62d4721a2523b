/** Every bound of the ledger's client side, with its unit and the reason for its value. */

/**
 * Script time one batch may take, in microseconds. Redis runs one script at a time: a longer one is a longer wait for
 * everybody, a shorter one shares the fsync among fewer claims.
 */
export const BATCH_COST_LIMIT_US = 2_000;

/** Script time of one claim, in microseconds, as measured on the reference machine with a wallet per user. */
export const CLAIM_COST_US = 7;

/** More script time per claim that brings facts along, in microseconds. */
export const FACTS_COST_US = 4;

/** Script calls of one partition under way at once, each on a connection of its own: together they share an fsync. */
export const BATCHES_IN_FLIGHT = 4;

/**
 * Script time that must wait before a call is sent beside another, in microseconds: a hundred claims and more. Fewer are better
 * off in the next call, since every call costs this process and Redis a few dozen microseconds of its own; more keep the ledger
 * busy while this process works on answers.
 */
export const FURTHER_CALL_COST_US = 1_000;

/** How often waiting and travelling calls are checked against their deadlines, in milliseconds. */
export const DEADLINE_SWEEP_MS = 10;

/** First and longest wait before the ledger is tried again after a failed call, in milliseconds. */
export const RETRY_FIRST_MS = 5;
export const RETRY_LONGEST_MS = 100;

/** Promotions one script call may touch: claims name theirs with one byte. */
export const PROMOTIONS_PER_BATCH = 250;

/** How often the server's persistence settings are read again, in milliseconds; they can be changed while it runs. */
export const DURABILITY_CHECK_MS = 5_000;
/** First and longest wait before they are read again while they are not known at all, in milliseconds. */
export const DURABILITY_RETRY_FIRST_MS = 50;
export const DURABILITY_RETRY_LONGEST_MS = 1_000;

/** Script time of one transaction and of each of its steps, in microseconds, as measured on the reference machine. */
export const TRANSACTION_COST_US = 15;
export const STEP_COST_US = 3;

/** Calls with transactions under way at once, each on a connection of its own; claims have theirs besides. */
export const TRANSACTION_CALLS_IN_FLIGHT = 2;

/**
 * Definitions and single writes under way at once, each on a connection of its own: one that waits for replicas keeps its
 * connection busy.
 */
export const SINGLE_WRITES_IN_FLIGHT = 4;
/** How long such a write still waits for replicas that were missed before, where the operator goes on without, in milliseconds. */
export const MISSED_REPLICAS_WAIT_MS = 1;

/** How long what is under way may take when the ledger is closed, in milliseconds: more than two attempts do. */
export const CLOSE_MS = 5_000;

/** Wallets and accounts that one call of the script `read` reads: Redis does nothing else meanwhile, some µs each. */
export const KEYS_PER_READ = 32;

/** Records read in one round trip. */
export const RECORDS_PER_READ = 500;
/** Round trips that read records at the same time; more reads wait and then travel together. */
export const RECORD_READS_IN_FLIGHT = 2;

/** How often sentinels or cluster nodes are asked who serves what, in milliseconds; a failed call asks at once. */
export const TOPOLOGY_LOOK_MS = 1_000;
/** Between two such questions, in milliseconds, however many calls fail. */
export const TOPOLOGY_PAUSE_MS = 50;
/** Longest wait for one of those asked, in milliseconds; the answers of the others count meanwhile. */
export const TOPOLOGY_ANSWER_MS = 500;
/** How many of them are asked: one honest answer is enough, a few more outvote those that were cut off. */
export const TOPOLOGY_NODES_ASKED = 12;

/** Connections of each lane to one server that holds several partitions; with one partition those above are enough. */
export const SHARED_CLAIM_CONNECTIONS = 6;
export const SHARED_TRANSACTION_CONNECTIONS = 4;
