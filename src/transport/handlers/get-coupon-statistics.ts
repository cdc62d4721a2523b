/** GetCouponStatistics: how many coupons a user has in each state; equal to the lists, coupons that left Redis included. */
import type {
  GetCouponStatisticsRequestSchema,
  GetCouponStatisticsResponseSchema,
} from '../../gen/hongbao/v1/coupon_service_pb.ts';
import type { KeptWallet } from '../../ledger/wallet.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { countCoupons } from '../coupon-list.ts';
import { type WholeWalletPorts, wholeWallet, withRetired } from '../whole-wallet.ts';

const EMPTY_WALLET: KeptWallet = { coupons: new Uint8Array(), retired: 0 };

/** Makes the handler. */
export function getCouponStatistics(deps: {
  readonly wallets: WholeWalletPorts;
}): UnaryHandler<typeof GetCouponStatisticsRequestSchema, typeof GetCouponStatisticsResponseSchema> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const { deadlineMs, nowMs } = context;
    const { ledger } = deps.wallets;
    const [kept = EMPTY_WALLET] = await ledger.read(deadlineMs, (reads) => reads.keptWallets([userId]));
    const { coupons, retired } = await wholeWallet(deps.wallets, userId, kept, deadlineMs);
    const { unused, reserved, used, expired, revoked } = withRetired(countCoupons(coupons, nowMs), retired);
    return {
      counts: {
        unused: BigInt(unused),
        reserved: BigInt(reserved),
        used: BigInt(used),
        expired: BigInt(expired),
        revoked: BigInt(revoked),
      },
    };
  };
}
