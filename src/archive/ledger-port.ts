/**
 * What the archive needs from the ledger, bound to one partition of one generation when it is made.
 *
 * The ledger implements it; the archive knows neither key names nor scripts. Every call ends within a time-out of its
 * own and throws when Redis cannot be reached.
 */

/** One stream entry: its number in the generation and its bytes. */
export interface StreamEntry {
  readonly seq: number;
  readonly payload: Buffer;
}

/** One page of a walk over all wallets. */
export interface WalletPage {
  /** Cursor of the next page; `'0'` after the last one. */
  readonly cursor: string;
  /** A user may come up in more than one page. */
  readonly userIds: readonly string[];
}

/** Classes of records of which there are many, beside wallets and promotions. */
export type RecordClass = 'order' | 'account' | 'usage' | 'pool';

/** One page of a walk over records. */
export interface RecordPage {
  /** Cursor of the next page; `'0'` after the last one. */
  readonly cursor: string;
  /** An id may come up in more than one page. */
  readonly ids: readonly string[];
}

/** The ledger as the archiver, the gatekeeper and the audit see it. */
export interface LedgerAdmin {
  /** The identity of the Redis process that answers now. */
  serverRunId(): Promise<string>;
  /** What the clock of the Redis process that answers now says, ms since the epoch; undefined when it does not tell. */
  serverTimeMs(): Promise<number | undefined>;
  /** The identity of the Redis process the partition was opened for; absent when it was never opened. */
  openRunId(): Promise<string | undefined>;
  /** Number of the newest entry; absent when the stream is empty. */
  lastSeq(): Promise<number | undefined>;
  /** Number of the oldest entry that is still kept; absent when the stream is empty. */
  firstSeq(): Promise<number | undefined>;
  /** At most `maxEntries` entries after number `fromSeqExclusive`, in order. -1 starts at the first one. */
  readEntries(fromSeqExclusive: number, maxEntries: number): Promise<StreamEntry[]>;
  /** The bytes of one entry; absent when it is trimmed or not written yet. */
  readEntry(seq: number): Promise<Buffer | undefined>;
  /**
   * Writes entries that Redis lost, in order, with their post-images. Throws when the newest entry is not number
   * `expectedLastSeq` (absent = the stream is empty): somebody else has written meanwhile.
   */
  applyEntries(entries: readonly StreamEntry[], expectedLastSeq: number | undefined): Promise<void>;
  /** Opens the partition for the server process `runId`; false when another process answers by now. */
  open(runId: string): Promise<boolean>;
  /** Tells the scripts how far the archive is, for their backlog limit. */
  publishArchived(seq: number, eventsTotal: number): Promise<void>;
  /** Drops entries below number `seq`; answers with how many. */
  trimBelow(seq: number): Promise<number>;
  /** All fields of a user's wallet, names in lower-case hex; empty when there is none. */
  readWalletFields(userId: string): Promise<Map<string, Buffer>>;
  /** The same for many users in one round trip, in the order asked. */
  readWallets(userIds: readonly string[]): Promise<Map<string, Buffer>[]>;
  /** All fields of a promotion's record by name; empty when there is none. */
  readPromotionFields(ref: number): Promise<Map<string, Buffer>>;
  /** One page of the users that have a wallet; `'0'` starts the walk. */
  scanWalletUsers(cursor: string): Promise<WalletPage>;
  /** All fields of many records of one class, names as latin1 text, in the order asked. */
  readRecords(target: RecordClass, ids: readonly string[]): Promise<Map<string, Buffer>[]>;
  /** One page of the records of one class; `'0'` starts the walk. */
  scanRecords(target: RecordClass, cursor: string): Promise<RecordPage>;
  /** When orders lapse (ms), in the order asked; undefined where one is not due. */
  readDue(members: readonly string[]): Promise<(number | undefined)[]>;
  /** One page of the orders that are due some time; `'0'` starts the walk. */
  scanDue(cursor: string): Promise<RecordPage>;
}

/** Which partition of which generation of the ledger. */
export interface PartitionId {
  readonly generation: number;
  readonly partition: number;
}
