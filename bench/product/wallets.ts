/** Wallets for a run, filled through the public API before anything is measured. */
import { z } from 'zod';
import { SAMPLE_USER_ID, SERIAL_DIGITS } from '../load/template.ts';
import { callConnect } from './connect-call.ts';

/** Claims in one call, and calls under way: of claims, of events. */
const BATCH_ITEMS = 1_000;
const CALLS_UNDER_WAY = 4;
const EVENTS_UNDER_WAY = 32;

const MINOR_UNITS_PER_POINT = 100;

const RESULTS = z.object({
  results: z.array(z.object({ claimed: z.object({ couponId: z.string() }) })),
});

/** The user of a serial number, as the load generator names him. */
export function userOf(serial: number): string {
  return SAMPLE_USER_ID.slice(0, -SERIAL_DIGITS) + String(serial).padStart(SERIAL_DIGITS, '0');
}

/** Gives each user of these serial numbers one coupon of the promotion; answers with their ids in that order. */
export async function claimForUsers(
  port: number,
  token: string,
  promotionId: string,
  firstSerial: number,
  count: number,
): Promise<string[]> {
  const starts = Array.from({ length: Math.ceil(count / BATCH_ITEMS) }, (_, index) => index * BATCH_ITEMS);
  const coupons: string[] = [];
  await forEachAtOnce(starts, CALLS_UNDER_WAY, async (start) => {
    const items = Array.from({ length: Math.min(BATCH_ITEMS, count - start) }, (_, index) => ({
      promotionId,
      userId: userOf(firstSerial + start + index),
      requestId: `wallet-${promotionId}`,
    }));
    const answer = await callConnect(port, token, 'CouponService/BatchClaimCoupons', { items });
    RESULTS.parse(answer).results.forEach(({ claimed }, index) => {
      coupons[start + index] = claimed.couponId;
    });
  });
  return coupons;
}

/** Lets each of these users complete an order that earns so many points. */
export async function earnPoints(
  port: number,
  token: string,
  firstSerial: number,
  count: number,
  points: number,
): Promise<void> {
  const serials = Array.from({ length: count }, (_, index) => firstSerial + index);
  await forEachAtOnce(serials, EVENTS_UNDER_WAY, async (serial) => {
    await callConnect(port, token, 'EventService/IngestEvent', {
      eventId: `bench-points-${serial}`,
      userId: userOf(serial),
      occurredAt: new Date().toISOString(),
      orderCompleted: {
        orderId: 'bench-points',
        currency: 'CNY',
        paidMinor: String(points * MINOR_UNITS_PER_POINT),
      },
    });
  });
}

/** Does something with each item, so many at once. */
export async function forEachAtOnce<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const worker = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
