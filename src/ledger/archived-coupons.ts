/** Waiting for the archive, for answers at the level LEDGER. The ledger does not know the archive; a process gives it this. */
import type { RefusalReason } from '../domain/refusal.ts';

/** A coupon that shall be in the archive. */
export interface AwaitedCoupon {
  readonly couponId: string;
  readonly partition: number;
  /** The entry that issued it; undefined when that is not known. */
  readonly seq: number | undefined;
}

/**
 * What became of a wait: `archived`; `late`: the deadline passed first; `unavailable`: it did, and the archive does not answer;
 * `lost`: the archive is past the entry and does not have the coupon. Only the first one tells what became of the coupon.
 */
export type ArchiveAnswer = 'archived' | 'late' | 'unavailable' | 'lost';

/** Tells when coupons are in the archive. */
export interface ArchivedCoupons {
  /** Resolves when the coupon is in the archive, or at the deadline (ms since the epoch). Never rejects. */
  coupon(coupon: AwaitedCoupon, deadlineMs: number): Promise<ArchiveAnswer>;
}

/** The refusals of a claim whose coupon is not known to be archived. Each of them means "unknown". */
export const UNARCHIVED_REASONS: Readonly<Record<Exclude<ArchiveAnswer, 'archived'>, RefusalReason>> = {
  late: 'DEADLINE_EXCEEDED',
  unavailable: 'ARCHIVE_UNAVAILABLE',
  lost: 'LEDGER_UNAVAILABLE',
};

/** For a process without an archive to ask: nothing is ever known to be archived. */
export const NO_ARCHIVE: ArchivedCoupons = { coupon: () => Promise.resolve('unavailable') };
