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

/** The hidden coupon, or that the deadline had passed by the server's clock, which tells itself (ms since the epoch). */
export type HideAnswer = { readonly coupon: CouponValue } | { readonly lateAtMs: number };

function answerOf(status: string, value: Buffer): HideAnswer {
  switch (status) {
    case 'H':
      return { coupon: decodeCouponValue(value) };
    case 'L':
      return { lateAtMs: value.readUIntBE(0, 6) };
    case 'U':
      throw new Refusal(
        'COUPON_STILL_USABLE',
        'only a coupon that was used, has expired or was revoked can be hidden',
      );
    case 'N':
      throw new Refusal('COUPON_NOT_FOUND', 'there is no such coupon in this wallet');
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
): Promise<HideAnswer> {
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
  return answerOf(reply.toString('latin1', 0, 1), reply.subarray(1));
}
