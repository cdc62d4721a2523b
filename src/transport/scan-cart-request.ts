/** Reads what the main thread must know of a request of CartService and passes over the rest, which a worker decodes. */
import { MalformedMessageError, WireReader } from '../wire/wire-reader.ts';

/** What the main thread must know. */
export interface ScannedRequest {
  readonly userId: string;
  /** The wallet of the user is part of the question. */
  readonly usesWallet: boolean;
  readonly codes: number;
  /** An earlier version of the rules to decide by; 0 when none is named. */
  readonly ruleSetVersion: number;
  /** The request brings a wallet along. */
  readonly bringsWallet: boolean;
}

/** Reads one field; false when it is none that matters. */
type ReadField = (field: number, reader: WireReader) => boolean;

const OUTERMOST = 1;

/** Walks over the fields of a message. False when it is none; a worker says what is wrong with it. */
function walk(bytes: Uint8Array, read: ReadField): boolean {
  const reader = new WireReader(bytes);
  try {
    while (reader.position < reader.length) {
      const tag = reader.tag();
      if (!read(tag >>> 3, reader)) reader.skip(tag, OUTERMOST);
    }
    return true;
  } catch (error) {
    if (error instanceof MalformedMessageError) return false;
    throw error;
  }
}

/** Field numbers of hongbao.v1.EvaluateCartRequest; a test holds them to the contract. */
const EVALUATE = { userId: 1, useWallet: 2, codes: 3, ruleSetVersion: 11, heldCoupons: 12 } as const;

/** Looks through an EvaluateCartRequest; undefined when it is none. */
export function scanEvaluateCart(bytes: Uint8Array): ScannedRequest | undefined {
  const scanned = { userId: '', usesWallet: false, codes: 0, ruleSetVersion: 0, bringsWallet: false };
  const isMessage = walk(bytes, (field, reader) => {
    if (field === EVALUATE.userId) scanned.userId = reader.string();
    else if (field === EVALUATE.useWallet) scanned.usesWallet = reader.bool();
    else if (field === EVALUATE.ruleSetVersion) scanned.ruleSetVersion = Number(reader.uint64());
    else {
      if (field === EVALUATE.codes) scanned.codes += 1;
      else if (field === EVALUATE.heldCoupons) scanned.bringsWallet = true;
      return false;
    }
    return true;
  });
  return isMessage ? scanned : undefined;
}

const USER_ID = 1;
const COUPON_ID = 2;

/** Looks through a ListUsableCouponsRequest; undefined when it is none. */
export function scanListUsableCoupons(bytes: Uint8Array): ScannedRequest | undefined {
  return scanUser(bytes, true);
}

/** Looks through a ValidateCouponRequest; undefined when it is none. A code needs no wallet. */
export function scanValidateCoupon(bytes: Uint8Array): ScannedRequest | undefined {
  return scanUser(bytes, false);
}

function scanUser(bytes: Uint8Array, alwaysUsesWallet: boolean): ScannedRequest | undefined {
  const scanned = {
    userId: '',
    usesWallet: alwaysUsesWallet,
    codes: 0,
    ruleSetVersion: 0,
    bringsWallet: false,
  };
  const isMessage = walk(bytes, (field, reader) => {
    if (field === COUPON_ID) scanned.usesWallet = true;
    if (field !== USER_ID) return false;
    scanned.userId = reader.string();
    return true;
  });
  return isMessage ? scanned : undefined;
}
