/** What a sequence is about to do, before it is known with which coupon: generated, and resolved against the model. */
import fc from 'fast-check';
import type { ModelHead, ModelState, ModelUser } from './model-state.ts';
import { type HoldOperation, type Operation, ORDERS, type Order, USERS, type User } from './operations.ts';

/** An operation to be, by numbers that pick from what there is then. */
export interface Intent {
  readonly kind: Operation['kind'] | 'again' | 'altered';
  readonly user: User;
  readonly order: Order;
  /** A request id of a few, or a new one. */
  readonly request: number | 'new';
  readonly picks: readonly [number, number];
  readonly choice: number;
  readonly flag: boolean;
}

/** What has been done so far, by which intents are resolved. */
export interface Memory {
  readonly state: ModelState;
  readonly history: readonly Operation[];
}

const UNKNOWN_COUPON = '0'.repeat(44);
const HOLDS_MS = [60_000, 60_000, 60_000, 900_000, 900_000, 86_400_000, undefined, undefined] as const;
const CLAIMED = ['plain', 'plain', 'dated', 'dated', 'staff', 'auto'] as const;
const GRANTED = ['staff', 'staff', 'staff', 'plain'] as const;
const EXCHANGED = ['points', 'points', 'points', 'plain'] as const;
/** Picks at or above it name any coupon; the highest names one that the user has not. */
const ANY_PICK = 17;
const UNKNOWN_PICK = 19;

/** Intents of one kind. */
export function intents(kind: Intent['kind']): fc.Arbitrary<Intent> {
  const pick = fc.nat({ max: UNKNOWN_PICK });
  return fc.record({
    kind: fc.constant(kind),
    // Mostly one user and one order, so that much happens to them.
    user: fc.constantFrom(USERS[0], USERS[0], USERS[0], USERS[1]),
    order: fc.constantFrom(...ORDERS),
    request: fc.oneof(
      { weight: 6, arbitrary: fc.constant('new' as const) },
      { weight: 1, arbitrary: fc.nat({ max: 2 }) },
    ),
    picks: fc.tuple(pick, pick),
    choice: fc.nat({ max: 11 }),
    flag: fc.boolean(),
  });
}

/** One of some, by a number. */
function chosen<Value>(values: readonly Value[], place: number): Value {
  const value = values[place % values.length];
  if (value === undefined && values.length === 0) throw new Error('nothing to choose from');
  return value as Value;
}

function couponAt(user: ModelUser, pick: number, wanted: (state: string) => boolean): string {
  const fitting = user.coupons.filter(({ state }) => wanted(state));
  const among = fitting.length === 0 || pick >= ANY_PICK ? user.coupons : fitting;
  return pick === UNKNOWN_PICK || among.length === 0 ? UNKNOWN_COUPON : chosen(among, pick).couponId;
}

/** In which states of an order a kind of operation finds something to do. */
const WANTED: Partial<Record<Intent['kind'], readonly (ModelHead['state'] | undefined)[]>> = {
  hold: [undefined, undefined, 'released', 'expired'],
  commit: ['reserved', 'reserved', 'expired'],
  release: ['reserved'],
  lapse: ['reserved'],
  return: ['committed'],
  refund: ['committed', 'committed', 'returned'],
  earn: ['committed'],
  reverse: ['committed', 'returned'],
};

/** The intent, mostly turned to an order with which there is something to do. */
function aimed(intent: Intent, { users }: ModelState): Intent {
  const { kind, choice, picks } = intent;
  const wanted = WANTED[kind];
  if (wanted === undefined || picks[1] >= ANY_PICK) return intent;
  const fitting = USERS.flatMap((user) =>
    ORDERS.flatMap((order) => {
      const state = users[user].orders[order].head?.state;
      return wanted.filter((one) => one === state).map(() => ({ user, order }));
    }),
  );
  return fitting.length === 0 ? intent : { ...intent, ...chosen(fitting, choice + picks[0]) };
}

/** The operation that is meant, as things are. Undefined when there is nothing it could be about. */
export function resolve(meant: Intent, { state, history }: Memory): Operation | undefined {
  const intent = aimed(meant, state);
  const { kind, user: name, order, picks, choice, flag } = intent;
  const user = state.users[name];
  const request = intent.request === 'new' ? `q${history.length}` : `r${intent.request}`;
  const base = { user: name, order, request };
  switch (kind) {
    case 'again':
      return history.length === 0 ? undefined : chosen(history.toReversed(), choice);
    case 'altered':
      return history.length === 0 ? undefined : altered(chosen(history.toReversed(), choice));
    case 'claim':
      return { kind, user: name, request, promotion: chosen(CLAIMED, choice) };
    case 'grant':
      return { kind, user: name, request, promotion: chosen(GRANTED, choice) };
    case 'exchange':
      return { kind, user: name, request, promotion: chosen(EXCHANGED, choice) };
    case 'revoke':
      if (user.coupons.length === 0 && picks[0] !== UNKNOWN_PICK) return undefined;
      return {
        kind,
        user: name,
        couponId: couponAt(user, picks[0], (seen) => seen === 'unused'),
        returnStock: flag,
      };
    case 'hide':
      if (user.coupons.length === 0 && picks[0] !== UNKNOWN_PICK) return undefined;
      return { kind, user: name, couponId: couponAt(user, picks[0], (seen) => seen !== 'unused') };
    case 'hold':
      return holdOf(intent, user, request);
    case 'commit':
    case 'release':
      return { ...base, kind, reservation: reservationOf(intent, user) };
    case 'lapse':
      return { kind, user: name, order };
    case 'return':
      return { ...base, kind, couponIds: returnedOf(intent, user) };
    case 'refund':
      return { ...base, kind, units: chosen([0, 1, 1, 2, 3], choice), shipping: flag };
    case 'earn':
      return { kind, user: name, order, paidMinor: paidOf(intent, user) };
    case 'reverse':
      return { kind, user: name, order, remainingMinor: Math.max(0, choice - 4) * 1_000 };
    case 'award':
      return { kind, user: name, request, points: 1 + 10 * (choice % 6) };
  }
}

function holdOf(
  { user: name, order, picks, choice, flag }: Intent,
  user: ModelUser,
  request: string,
): HoldOperation {
  const isUnused = (seen: string): boolean => seen === 'unused';
  const named = user.coupons.length === 0 && picks[0] !== UNKNOWN_PICK ? [] : picks;
  const [first = [], second = []] = named.map((pick) => [couponAt(user, pick, isUnused)]);
  const wanted = [[], first, first, [...new Set([...first, ...second])]] as const;
  const holdMs = chosen(HOLDS_MS, picks[0] + choice);
  return {
    kind: 'hold',
    user: name,
    order,
    request,
    couponIds: chosen(wanted, choice),
    cart: {
      quantity: 1 + ((choice + picks[1]) % 3),
      unitPriceMinor: flag ? 5_000 : 6_001,
      shippingMinor: flag ? 0 : 500,
    },
    orderNumber: '',
    ...(holdMs !== undefined && { holdMs }),
    ...(choice + picks[1] === 11 && { expectedMinor: 1 }),
  };
}

/** Mostly the latest reservation, named or not; sometimes one that there is not. */
function reservationOf({ order, choice, picks }: Intent, user: ModelUser): string {
  if (picks[0] === UNKNOWN_PICK) return 'none';
  return choice % 2 === 0 ? '' : (user.orders[order].head?.reservation ?? '');
}

function returnedOf({ order, picks, choice }: Intent, user: ModelUser): string[] {
  if (choice % 2 === 0) return [];
  const own = user.orders[order].head?.uses.flatMap(({ couponId }) => couponId ?? []) ?? [];
  return [own.length === 0 || picks[0] === UNKNOWN_PICK ? UNKNOWN_COUPON : chosen(own, picks[0])];
}

function paidOf({ order, choice }: Intent, user: ModelUser): number {
  return choice < 3 ? choice * 1_250 : (user.orders[order].head?.payableMinor ?? 2_000);
}

/** The same request with other content, where an operation has such. */
function altered(operation: Operation): Operation {
  switch (operation.kind) {
    case 'claim':
    case 'grant':
      return { ...operation, promotion: operation.promotion === 'plain' ? 'dated' : 'plain' };
    case 'hold':
      return { ...operation, orderNumber: `${operation.orderNumber}x` };
    case 'commit':
      return { ...operation, kind: 'release' };
    case 'release':
      return { ...operation, kind: 'commit' };
    case 'return':
      return { ...operation, couponIds: operation.couponIds.length === 0 ? [UNKNOWN_COUPON] : [] };
    case 'refund':
      return { ...operation, shipping: !operation.shipping };
    case 'award':
      return { ...operation, points: operation.points + 1 };
    case 'earn':
      return { ...operation, paidMinor: operation.paidMinor + 1_000 };
    case 'exchange':
    case 'reverse':
    case 'revoke':
    case 'hide':
    case 'lapse':
      return operation;
  }
}
