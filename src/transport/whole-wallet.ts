/**
 * A user's coupons wherever they are: in the live wallet, and in the archive those that left it after retention. The wallet
 * counts the latter, so the archive is asked only about users who have some.
 */
import { awaitArchived } from '../archive/await-archived.ts';
import type { ArchivePlaces } from '../archive/places.ts';
import {
  type EndState,
  NONE_RETIRED,
  type RetiredCounts,
  RetiredCoupons,
} from '../archive/retired-coupons.ts';
import type { Sql } from '../database/client.ts';
import { CouponView } from '../gen/hongbao/v1/coupon_service_pb.ts';
import type { CouponCounts } from '../gen/hot/wallet-responses.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { KeptWallet, WalletCoupon } from '../ledger/wallet.ts';
import { couponsOfWallet } from './coupon-list.ts';

/** What reading both takes. */
export interface WholeWalletPorts {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly retired: RetiredCoupons;
  /** Waits a little until the archive has entry `seq` of the user's partition. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
  readonly awaitArchived: (userId: string, seq: number, deadlineMs: number) => Promise<unknown>;
}

/** Coupons that are live, and counts of those that are not. */
export interface WholeWallet {
  readonly coupons: readonly WalletCoupon[];
  readonly retired: RetiredCounts;
}

const END_STATES: ReadonlyMap<number, readonly EndState[]> = new Map([
  [CouponView.UNSPECIFIED, ['used', 'expired', 'revoked']],
  [CouponView.USED, ['used']],
  [CouponView.EXPIRED, ['expired', 'revoked']],
]);

/** Makes the ports. */
export function wholeWalletPorts(
  sql: Sql,
  places: ArchivePlaces,
  ledger: Pick<Ledger, 'read'>,
  nowMs: () => number,
): WholeWalletPorts {
  return {
    ledger,
    retired: new RetiredCoupons(sql, places),
    awaitArchived: (userId, seq, deadlineMs) =>
      awaitArchived(sql, places.ofUser(userId), seq, { nowMs, deadlineMs }),
  };
}

/**
 * Counts what left a wallet. While coupons are on their way out of it or back, wallet and archive disagree for a moment: then
 * both are read again after a short wait. Throws ARCHIVE_UNAVAILABLE, LEDGER_*, DEADLINE_EXCEEDED.
 */
export async function wholeWallet(
  { ledger, retired, awaitArchived: wait }: WholeWalletPorts,
  userId: string,
  wallet: KeptWallet,
  deadlineMs: number,
): Promise<WholeWallet> {
  if (wallet.retired === 0) return { coupons: couponsOfWallet(wallet.coupons), retired: NONE_RETIRED };
  const counts = await retired.counts(userId, deadlineMs);
  if (counts.total === wallet.retired) return { coupons: couponsOfWallet(wallet.coupons), retired: counts };
  const [[now = wallet], seq] = await ledger.read(deadlineMs, (reads) =>
    Promise.all([reads.keptWallets([userId]), reads.lastSeq(userId)]),
  );
  await wait(userId, seq ?? 0, deadlineMs);
  return { coupons: couponsOfWallet(now.coupons), retired: await retired.counts(userId, deadlineMs) };
}

/** States of retired coupons that a view (by its number) shows. */
export function endStatesOf(view: number): readonly EndState[] {
  return END_STATES.get(view) ?? [];
}

/** Counts of both together. */
export function withRetired(live: CouponCounts, { used, expired, revoked }: RetiredCounts): CouponCounts {
  return {
    ...live,
    used: live.used + used,
    expired: live.expired + expired,
    revoked: live.revoked + revoked,
  };
}
