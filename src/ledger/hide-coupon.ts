/** Hides a coupon that can no longer be used from its owner's lists. */
import { type CouponValue, decodeCouponValue } from '../domain/coupon.ts';
import { Refusal } from '../domain/refusal.ts';
import type { PartitionKeys } from './keys.ts';
import type { RunScript } from './script-runner.ts';

/** Which coupon, and until when (ms of the server's clock) the attempt counts. */
export interface HideRequest {
  readonly userId: string;
  readonly fieldHex: string;
  readonly serverDeadlineMs: number;
}

function hiddenCoupon(status: string, value: Buffer): CouponValue {
  switch (status) {
    case 'H':
      return decodeCouponValue(value);
    case 'U':
      throw new Refusal(
        'COUPON_STILL_USABLE',
        'only a coupon that was used, has expired or was revoked can be hidden',
      );
    case 'N':
      throw new Refusal('COUPON_NOT_FOUND', 'there is no such coupon in this wallet');
    case 'L':
      throw new Refusal('DEADLINE_EXCEEDED', 'the deadline passed before the ledger decided');
    case 'C':
      throw new Refusal('LEDGER_CLOSED', 'the partition is closed');
    default:
      throw new Refusal('INTERNAL', 'the coupon cannot be read');
  }
}

/** Answers the hidden coupon; the same when it was hidden before. */
export async function hideCoupon(
  run: RunScript,
  keys: PartitionKeys,
  request: HideRequest,
): Promise<CouponValue> {
  const reply = await run(
    'hide',
    [keys.stream, keys.meta, keys.walletPrefix + request.userId],
    [
      Buffer.from(request.fieldHex, 'hex'),
      Math.floor(request.serverDeadlineMs),
      request.userId,
      keys.partitions,
    ],
  );
  if (!Buffer.isBuffer(reply)) throw new TypeError('the hide script answered something else');
  return hiddenCoupon(reply.toString('latin1', 0, 1), reply.subarray(1));
}
