/** What must hold of orders after every event that touches one: I4 (a coupon is in one order), I9 and I10. */
import { isDeepStrictEqual } from 'node:util';
import { parseCouponId } from '../../../src/domain/coupon.ts';
import { decodeRedemption, type Redemption, type RedemptionState } from '../../../src/domain/redemption.ts';
import { partitionKeys } from '../../../src/ledger/keys.ts';
import { ACCOUNT_FIELDS } from '../../../src/ledger/record-fields.ts';
import { bufferOf } from '../redis/bytes.ts';
import type { Keyspace } from '../redis/keyspace.ts';
import { hold } from './violation.ts';

const KEYS = partitionKeys(0);
const UNUSED = 1;
const RESERVED = 2;
const USED = 3;

/** Where an order may go from where it is; `none`: there is no order yet. */
const NEXT: Readonly<Record<RedemptionState | 'none', readonly RedemptionState[]>> = {
  none: ['reserved', 'committed'],
  reserved: ['committed', 'released', 'expired'],
  released: ['reserved', 'committed'],
  expired: ['reserved', 'committed'],
  committed: ['committed', 'returned'],
  returned: [],
};

/** The head of an order. */
export function headOf(keyspace: Keyspace, orderId: string): Redemption | undefined {
  const head = keyspace.field(KEYS.orderPrefix + orderId, 'h');
  return head === undefined ? undefined : decodeRedemption(bufferOf(head));
}

/** The order remembers one more call, and is as it was. */
function isOnlyNoted(before: Redemption, after: Redemption): boolean {
  return isDeepStrictEqual({ ...after, requests: before.requests }, before);
}

/** An order went from one head to another at a moment. */
export function checkTransition(
  orderId: string,
  before: Redemption | undefined,
  after: Redemption,
  timeMs: number,
): void {
  const from = before?.state ?? 'none';
  const isSame = before?.requestId === after.requestId;
  if (before !== undefined && isOnlyNoted(before, after)) return;
  hold('I10', NEXT[from].includes(after.state), () => `order ${orderId} went from ${from} to ${after.state}`);
  hold(
    'I10',
    after.state !== 'expired' || timeMs > (before?.dueAtMs ?? 0),
    () => `order ${orderId} expired early`,
  );
  const mustBeSame = from === 'reserved' || from === 'committed' || after.state === 'expired';
  hold('I10', isSame || !mustBeSame, () => `order ${orderId} was made anew while it was ${from}`);
}

/** What an order holds is held by it, and what it does not hold is not. */
export function checkCoupons(keyspace: Keyspace, orderId: string, head: Redemption): void {
  const [userId = '', order = ''] = orderId.split('/');
  for (const { couponId, returned } of head.coupons) {
    const fieldHex = parseCouponId(couponId)?.fieldHex ?? '';
    const field = Buffer.from(fieldHex, 'hex').toString('latin1');
    const state = keyspace.field(KEYS.walletPrefix + userId, field)?.charCodeAt(1);
    const holder = keyspace.field(KEYS.accountPrefix + userId, ACCOUNT_FIELDS.holder.name(field));
    const wanted = head.state === 'reserved' ? RESERVED : USED;
    const isHeld = (head.state === 'reserved' || head.state === 'committed') && !returned;
    if (isHeld) {
      hold(
        'I4',
        state === wanted && holder === order,
        () => `order ${orderId} (${head.state}) lacks coupon ${couponId}`,
      );
    } else {
      hold('I4', holder !== order, () => `order ${orderId} (${head.state}) still has coupon ${couponId}`);
      hold('I4', holder !== undefined || state === UNUSED, () => `coupon ${couponId} is held by nobody`);
    }
  }
}

/** The uses that are counted are those of orders that have not given them back. */
export function checkUses(keyspace: Keyspace, most: ReadonlyMap<number, number>, isGrowing: boolean): void {
  const uses = new Map<number, number>();
  for (const key of keyspace.allKeys()) {
    if (!key.startsWith(KEYS.orderPrefix)) continue;
    const head = headOf(keyspace, key.slice(KEYS.orderPrefix.length));
    for (const { promotionRef, givenBack } of head?.promotions ?? [])
      if (!givenBack) uses.set(promotionRef, (uses.get(promotionRef) ?? 0) + 1);
  }
  for (const key of keyspace.allKeys()) {
    if (!key.startsWith(KEYS.usagePrefix)) continue;
    const ref = Number(key.slice(KEYS.usagePrefix.length));
    const counted = Number(keyspace.field(key, 'n') ?? 0);
    hold(
      'I2',
      counted === (uses.get(ref) ?? 0),
      () => `promotion ${ref} counts ${counted} uses, orders have ${uses.get(ref) ?? 0}`,
    );
    const bound = most.get(ref);
    hold(
      'I9',
      !isGrowing || bound === undefined || counted <= bound,
      () => `promotion ${ref} was used ${counted} times of ${bound}`,
    );
  }
}
