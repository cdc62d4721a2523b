/** A promotion's coupons in a simulated partition: what `claim.lua`, `define.lua` and a revoke do to its record and its pool. */
import { PROMOTION_FIELDS, poolFields } from '../../src/ledger/record-fields.ts';
import { poolOf, promotionOf } from '../../src/ledger/transaction.ts';
import type { SimulatedPartition } from './simulated-store.ts';

/** The promotion of all simulations; its home is partition 1 of any number. */
export const REF = 1;
/** Its record in every partition, and its pool in one. */
export const RECORD = promotionOf(REF);
export const POOL = poolOf(REF);

/** A version of the promotion. */
export interface SimulatedDefinition {
  readonly ref: number;
  readonly version: number;
  readonly quantity?: number;
}

const {
  definition: DEFINITION,
  issued: ISSUED,
  received: RECEIVED,
  granted: GRANTED,
  back: BACK,
  returned: RETURNED,
} = PROMOTION_FIELDS;
const { limit: LIMIT, total: TOTAL } = poolFields('');

/** What a partition says to a claim. */
export type ClaimReply =
  | { readonly kind: 'claimed'; readonly isNew: boolean }
  | { readonly kind: 'sold_out'; readonly version: number }
  | { readonly kind: 'undefined' };

function versionIn(store: SimulatedPartition): number {
  return Number(store.text(RECORD, DEFINITION.name)?.slice(1) ?? 0);
}

/** Coupons that count against the stock. */
export function issuedIn(store: SimulatedPartition): number {
  return store.number(RECORD, ISSUED.name);
}

/** Claims for a user; again, it is the same coupon. */
export function claimIn(store: SimulatedPartition, user: string): ClaimReply {
  const version = versionIn(store);
  if (version === 0) return { kind: 'undefined' };
  if (store.text(RECORD, `user:${user}`) !== undefined) return { kind: 'claimed', isNew: false };
  const issued = issuedIn(store);
  const received = store.text(RECORD, RECEIVED.name) ?? '';
  if (received !== '' && issued >= Number(received)) return { kind: 'sold_out', version };
  store.atOnce(() => store.write(RECORD, { [`user:${user}`]: 'held', [ISSUED.name]: issued + 1 }));
  return { kind: 'claimed', isNew: true };
}

/** Takes a user's coupon back; its unit goes back to the pool, which may have more out than there is by now. */
export function revokeIn(store: SimulatedPartition, user: string, keepsUnit = false): void {
  if (store.text(RECORD, `user:${user}`) !== 'held') return;
  const lease = {
    [BACK.name]: store.number(RECORD, BACK.name) + 1,
    [RECEIVED.name]: store.number(RECORD, RECEIVED.name) - 1,
  };
  const isLimited = (store.text(RECORD, RECEIVED.name) ?? '') !== '';
  store.atOnce(() =>
    store.write(RECORD, {
      [`user:${user}`]: 'revoked',
      [ISSUED.name]: issuedIn(store) - 1,
      [RETURNED.name]: store.number(RECORD, RETURNED.name) + 1,
      ...(isLimited && !keepsUnit && lease),
    }),
  );
}

/** Delivers a version, as `define.lua` does where there are several partitions. */
export function defineIn(
  store: SimulatedPartition,
  { version, quantity }: SimulatedDefinition,
  { isHome, closesLease }: { readonly isHome: boolean; readonly closesLease: boolean },
): { lent: number } {
  const lent = isHome ? store.number(POOL, TOTAL.name) : 0;
  if (versionIn(store) >= version) return { lent };
  store.atOnce(() => {
    const closes = closesLease || (quantity !== undefined && lent > quantity);
    store.write(RECORD, { [DEFINITION.name]: `v${version}`, ...leaseAfter(store, quantity, closes) });
    if (isHome) store.write(POOL, { [LIMIT.name]: quantity ?? '' });
  });
  return { lent };
}

function leaseAfter(
  store: SimulatedPartition,
  quantity: number | undefined,
  closes: boolean,
): Record<string, string | number> {
  const [granted, back, issued] = [GRANTED, BACK, ISSUED].map(({ name }) => store.number(RECORD, name));
  if (granted === undefined || back === undefined || issued === undefined) throw new TypeError('no figures');
  const fields = { [ISSUED.name]: issued };
  if (quantity === undefined) return { ...fields, [RECEIVED.name]: '' };
  const wasLimited = store.text(RECORD, RECEIVED.name) !== '';
  if (wasLimited && !closes) return { ...fields, [RECEIVED.name]: granted - back };
  const nowGranted = Math.max(granted, back + issued);
  return {
    ...fields,
    [GRANTED.name]: nowGranted,
    [BACK.name]: nowGranted - issued,
    [RECEIVED.name]: issued,
  };
}
