/**
 * What the ledger forgets about an erased user. Account and wallet get their mark, after which nobody can give the user anything;
 * facts go, coupons that could be used are revoked, all are hidden, points end as points that expired. Each step is an event,
 * so totals, counts and the audit stay true.
 */
import {
  COUPON_FIELD_BYTES,
  type CouponValue,
  decodeCouponValue,
  encodeCouponValue,
} from '../domain/coupon.ts';
import { expire } from '../domain/points.ts';
import { readUint48, UINT48_BYTES } from '../domain/uint48.ts';
import { unchanged } from '../ledger/held-fields.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ACCOUNT_FIELDS, WALLET_FIELDS } from '../ledger/record-fields.ts';
import { isStillSo } from '../ledger/still-so.ts';
import { accountOf, type Step, walletOf } from '../ledger/transaction.ts';
import { changeSteps, pointsOf } from '../points/account-points.ts';
import { COUPONS_PER_EVENT } from './limits.ts';

/** What forgetting needs. */
export type ForgetPorts = Pick<Ledger, 'read' | 'transact'>;

/** How far the ledger has forgotten a user. */
export interface Forgotten {
  /** When the account got its mark, ms since the epoch. */
  readonly erasedAtMs: number;
  /** Coupons that an unpaid order holds; they are revoked when it lets them go. */
  readonly held: number;
}

type Fields = ReadonlyMap<string, Buffer>;

interface HeldCoupon {
  readonly field: Buffer;
  readonly bytes: Buffer;
  readonly value: CouponValue;
}

const WALLET_MARK = Buffer.from('1');
const REASON = Buffer.from('erased');
const LAST_MONTH = 999_912;

/** Forgets the user as far as orders allow. May be repeated. Throws LEDGER_*, DEADLINE_EXCEEDED, DURABILITY_UNMET, INTERNAL. */
export async function forgetInLedger(
  ledger: ForgetPorts,
  userId: string,
  deadlineMs: number,
): Promise<Forgotten> {
  for (;;) {
    const [wallet, account] = await ledger.read(deadlineMs, (reads) =>
      reads.records([walletOf(userId), accountOf(userId)]),
    );
    const known = account ?? new Map<string, Buffer>();
    const coupons = couponsOf(wallet ?? new Map());
    const left = coupons.filter((coupon) => !isForgotten(coupon, known));
    const mark = known.get(ACCOUNT_FIELDS.erased.name);
    const isMarked = wallet?.has(WALLET_FIELDS.erased.name) ?? false;
    if (mark !== undefined && isMarked && left.length === 0) {
      const seen = [unchanged(accountOf(userId), ACCOUNT_FIELDS.erased.bytes, known)];
      if (await isStillSo(ledger, seen, deadlineMs))
        return { erasedAtMs: timeOf(mark), held: heldOf(coupons) };
      continue;
    }
    const steps = [
      ...(isMarked
        ? []
        : [
            {
              kind: 'set',
              on: walletOf(userId),
              field: WALLET_FIELDS.erased.bytes,
              value: WALLET_MARK,
            } as const,
          ]),
      ...(mark === undefined ? accountSteps(userId, known) : []),
      ...couponSteps(userId, left.slice(0, COUPONS_PER_EVENT)),
    ];
    // Whatever became of it, the next look shows what is left to do.
    await ledger.transact({ event: 'erased', opensNew: false, steps }, deadlineMs);
  }
}

/** When the user was erased, as the account says; undefined when the user was not. */
export function erasedAtMs(account: Fields): number | undefined {
  const mark = account.get(ACCOUNT_FIELDS.erased.name);
  return mark === undefined ? undefined : timeOf(mark);
}

function timeOf(mark: Buffer): number {
  return mark.length < UINT48_BYTES
    ? 0
    : readUint48(new DataView(mark.buffer, mark.byteOffset, mark.length), 0);
}

function couponsOf(wallet: Fields): HeldCoupon[] {
  return [...wallet]
    .map(([name, bytes]) => ({ field: Buffer.from(name, 'latin1'), bytes }))
    .filter(({ field }) => field.length === COUPON_FIELD_BYTES)
    .map(({ field, bytes }) => ({ field, bytes, value: decodeCouponValue(bytes) }));
}

function heldOf(coupons: readonly HeldCoupon[]): number {
  return coupons.filter(({ value }) => value.state === 'reserved').length;
}

function revokedField({ field }: HeldCoupon): Buffer {
  return ACCOUNT_FIELDS.revoked.bytes(field);
}

/** A held coupon stays the order's; the mark says that it is revoked once it is free. */
function isForgotten(coupon: HeldCoupon, account: Fields): boolean {
  const { state, hidden } = coupon.value;
  if (state === 'reserved') return account.has(revokedField(coupon).toString('latin1'));
  return state !== 'unused' && hidden;
}

function accountSteps(userId: string, account: Fields): Step[] {
  const on = accountOf(userId);
  const change = expire(pointsOf(account), LAST_MONTH);
  const words = { type: 'expire', reason: 'erased', referenceType: '', referenceId: '' } as const;
  return [
    { kind: 'absent', on, field: ACCOUNT_FIELDS.erased.bytes },
    {
      kind: 'set',
      on,
      field: ACCOUNT_FIELDS.erased.bytes,
      value: Buffer.alloc(UINT48_BYTES),
      times: [{ offset: 0, plusMs: 0 }],
    },
    { kind: 'remove', on, field: ACCOUNT_FIELDS.facts.bytes },
    ...(change === undefined ? [] : changeSteps(userId, account, change, words)),
  ];
}

function couponSteps(userId: string, coupons: readonly HeldCoupon[]): Step[] {
  const wallet = walletOf(userId);
  const account = accountOf(userId);
  const steps = coupons.flatMap((coupon): Step[] => {
    const { field, bytes, value } = coupon;
    const isOver = value.state !== 'unused' && value.state !== 'reserved';
    const mark: Step = { kind: 'set', on: account, field: revokedField(coupon), value: REASON };
    const state = value.state === 'unused' ? 'revoked' : value.state;
    const hidden = Buffer.from(encodeCouponValue({ ...value, state, hidden: true }));
    return [
      { kind: 'expect', on: wallet, field, value: bytes },
      ...(isOver ? [] : [mark]),
      ...(value.state === 'reserved' ? [] : [{ kind: 'set', on: wallet, field, value: hidden } as const]),
    ];
  });
  const unused = coupons.filter(({ value }) => value.state === 'unused').length;
  return unused === 0 ? steps : [...steps, { kind: 'live', userId, change: -unused }];
}
