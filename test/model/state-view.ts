/** What is left behind, in one form for both sides: what the model says, and what stands in Redis. */
import { decodeCouponValue } from '../../src/domain/coupon.ts';
import { availablePoints, decodePointsState } from '../../src/domain/points.ts';
import { decodePointsEntry } from '../../src/domain/points-entry.ts';
import { decodeOrderPoints } from '../../src/domain/points-order.ts';
import { decodeRedemption } from '../../src/domain/redemption.ts';
import { partitionKeys } from '../../src/ledger/keys.ts';
import { claimCounterField, userUsesField } from '../../src/ledger/record-fields.ts';
import { accountOf, orderOf, promotionOf, usageOf, walletOf } from '../../src/ledger/transaction.ts';
import { walletCoupon } from '../../src/ledger/wallet.ts';
import { orderView as modelOrderView } from './model-orders.ts';
import { each, type ModelOrder, type ModelState, type ModelUser, userIdOf } from './model-state.ts';
import { type Name, ORDERS, PROMOTIONS, USERS, type User } from './operations.ts';
import { orderView, type Sequence } from './sequence.ts';

type Fields = ReadonlyMap<string, Buffer>;

const NONE: Fields = new Map();
const HOLDER = '>';
const REVOKED = '~';
const LIVE_OFFSET = 6;

function numberIn(record: Fields, field: string): number {
  return Number(record.get(field)?.toString() ?? 0);
}

/** Counters that are zero may be absent. */
function counted(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== 0));
}

/** What the model says is there. */
export function modelView(state: ModelState) {
  return {
    users: each(USERS, (user) => modelUserView(state.users[user])),
    promotions: each(PROMOTIONS, (name) => {
      const { issued, stockReturned, uses, moneyMinor, days } = state.promotions[name];
      return { issued, stockReturned, uses: counted({ n: uses, m: moneyMinor, ...days }) };
    }),
  };
}

function modelUserView(user: ModelUser) {
  const { available, debt, earned, number } = user.points;
  const coupons = user.coupons.map((coupon): [string, unknown] => {
    const { couponId, promotion, state, source, isHidden, issuedAtMs, expiresAtMs, holder } = coupon;
    const isRevoked = state === 'revoked';
    return [couponId, { promotion, state, source, isHidden, issuedAtMs, expiresAtMs, holder, isRevoked }];
  });
  return {
    coupons: Object.fromEntries(coupons),
    issued: counted(user.issued),
    uses: counted(user.uses),
    live: user.live,
    points: { available, debt, earned, number, entry: number === 0 ? undefined : [number, available] },
    orders: each(ORDERS, (order) => modelRecordView(user.orders[order])),
  };
}

function modelRecordView({ head, earned, given }: ModelOrder) {
  return {
    head: head && modelOrderView(head),
    earned: earned && { earned: earned.earned, bonus: earned.bonus, reversed: earned.reversed },
    given: Object.keys(given).sort(),
    dueAtMs: head?.state === 'reserved' ? head.dueAtMs : undefined,
  };
}

/** What stands in Redis. */
export async function realView(sequence: Sequence) {
  const users = await Promise.all(USERS.map((user) => realUserView(sequence, user)));
  const { ledger } = sequence.world;
  const names = sequence.terms.flatMap(({ ref }) => [promotionOf(ref), usageOf(ref)]);
  const records = await ledger.read(sequence.world.deadline(), (reads) => reads.records(names));
  return {
    users: each(USERS, (user) => users[USERS.indexOf(user)]),
    promotions: each(PROMOTIONS, (name) => {
      const place = 2 * sequence.terms.findIndex((one) => one.name === name);
      const [promotion = NONE, usage = NONE] = [records[place], records[place + 1]];
      const uses = Object.fromEntries([...usage].map(([field, value]) => [field, Number(value.toString())]));
      const [issued, stockReturned] = [numberIn(promotion, 'issued'), numberIn(promotion, 'returned')];
      return { issued, stockReturned, uses: counted(uses) };
    }),
  };
}

async function realUserView(sequence: Sequence, user: User) {
  const { ledger, redis } = sequence.world;
  const userId = userIdOf(sequence, user);
  const names = [walletOf(userId), accountOf(userId), ...ORDERS.map((order) => orderOf(userId, order))];
  const records = await ledger.read(sequence.world.deadline(), (reads) => reads.records(names));
  const [wallet = NONE, account = NONE, ...orders] = records;
  const due = await redis.zmscore(partitionKeys(0).due, ...ORDERS.map((order) => `${userId}/${order}`));
  const of = (name: Name, fieldOf: (ref: number) => Buffer) =>
    fieldOf(sequence.refOf(name)).toString('latin1');
  return {
    coupons: realCoupons(sequence, wallet, account),
    issued: counted(each(PROMOTIONS, (name) => numberIn(wallet, of(name, claimCounterField)))),
    uses: counted(each(PROMOTIONS, (name) => numberIn(account, of(name, userUsesField)))),
    live: wallet.get('@')?.readUInt16BE(LIVE_OFFSET) ?? 0,
    points: realPoints(account),
    orders: each(ORDERS, (order) => {
      const place = ORDERS.indexOf(order);
      const score = due[place] ?? undefined;
      return realRecordView(orders[place] ?? NONE, score === undefined ? undefined : Number(score));
    }),
  };
}

function realCoupons({ terms }: Sequence, wallet: Fields, account: Fields) {
  const coupons = [...wallet].flatMap(([name, value]) => {
    const field = Buffer.from(name, 'latin1');
    const coupon = walletCoupon(field, value);
    if (coupon === undefined) return [];
    const {
      state,
      source,
      hidden: isHidden,
      issuedAtMs,
      validFromMs,
      expiresAtMs,
    } = decodeCouponValue(value);
    const view = {
      promotion: terms.find(({ ref }) => ref === coupon.promotionRef)?.name,
      state,
      source,
      isHidden,
      issuedAtMs: validFromMs,
      expiresAtMs,
      holder: account.get(HOLDER + name)?.toString(),
      isRevoked: account.has(REVOKED + name),
    };
    return issuedAtMs === validFromMs ? [[coupon.couponId, view] as const] : [];
  });
  return Object.fromEntries(coupons);
}

function realPoints(account: Fields) {
  const [state, last] = [account.get('p'), account.get('t')];
  const entry = last && decodePointsEntry(last);
  const points = state && decodePointsState(state);
  const { number = 0, earned = 0, debt = 0, lots = [] } = points ?? {};
  const available = availablePoints({ number, earned, debt, lots });
  return { available, debt, earned, number, entry: entry && [entry.number, entry.balanceAfter] };
}

function realRecordView(record: Fields, dueAtMs: number | undefined) {
  const [head, points] = [record.get('h'), record.get('p')];
  const earned = points && decodeOrderPoints(points);
  return {
    head: head && orderView(decodeRedemption(head)),
    earned: earned && { earned: earned.earned, bonus: earned.bonus, reversed: earned.reversed },
    given: [...record.keys()].flatMap((field) => (field.startsWith('r:') ? field.slice(2) : [])).sort(),
    dueAtMs,
  };
}
