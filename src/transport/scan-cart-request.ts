/** Reads what the main thread must know of a request of CartService and passes over the rest, which a worker decodes. */
import { MalformedMessageError, WireReader } from '../wire/wire-reader.ts';

/** What the main thread must know. */
export interface ScannedRequest {
  readonly userId: string;
  /** The wallet of the user is part of the question. */
  readonly usesWallet: boolean;
  /** The codes, as typed; those of a selection too. */
  readonly codes: readonly string[];
  /** An earlier version of the rules to decide by; 0 when none is named. */
  readonly ruleSetVersion: number;
  /** The request brings a wallet along. */
  readonly bringsWallet: boolean;
  /** The request brings limits or single-use codes along. */
  readonly bringsLive: boolean;
}

type MutableScan = { -readonly [Key in keyof ScannedRequest]: ScannedRequest[Key] };

/** Most requests carry no code; they share this. */
const NO_CODES: readonly string[] = [];

function emptyScan(usesWallet: boolean): MutableScan {
  return {
    userId: '',
    usesWallet,
    codes: NO_CODES,
    ruleSetVersion: 0,
    bringsWallet: false,
    bringsLive: false,
  };
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
const EVALUATE = {
  userId: 1,
  useWallet: 2,
  codes: 3,
  selection: 8,
  ruleSetVersion: 11,
  heldCoupons: 12,
  liveLimits: 13,
  resolvedCodes: 14,
} as const;

/** CouponSelection.codes. */
const SELECTED_CODES = 2;

/** Looks through an EvaluateCartRequest; undefined when it is none. */
export function scanEvaluateCart(bytes: Uint8Array): ScannedRequest | undefined {
  const scanned = emptyScan(false);
  let isSelectionRead = true;
  const isMessage = walk(bytes, (field, reader) => {
    switch (field) {
      case EVALUATE.userId:
        scanned.userId = reader.string();
        return true;
      case EVALUATE.useWallet:
        scanned.usesWallet = reader.bool();
        return true;
      case EVALUATE.codes:
        scanned.codes = [...scanned.codes, reader.string()];
        return true;
      case EVALUATE.selection:
        isSelectionRead &&= scanSelection(reader.bytes(), scanned);
        return true;
      case EVALUATE.ruleSetVersion:
        // No version is as high; what is beyond can be looked for in no store.
        scanned.ruleSetVersion = Math.min(Number(reader.uint64()), Number.MAX_SAFE_INTEGER);
        return true;
      case EVALUATE.heldCoupons:
        scanned.bringsWallet = true;
        return false;
      case EVALUATE.liveLimits:
      case EVALUATE.resolvedCodes:
        scanned.bringsLive = true;
        return false;
      default:
        return false;
    }
  });
  return isMessage && isSelectionRead ? scanned : undefined;
}

function scanSelection(bytes: Uint8Array, scanned: MutableScan): boolean {
  return walk(bytes, (field, reader) => {
    if (field !== SELECTED_CODES) return false;
    scanned.codes = [...scanned.codes, reader.string()];
    return true;
  });
}

const USER_ID = 1;
const COUPON_ID = 2;
/** ValidateCouponRequest.code. */
const CODE = 3;

/** Looks through a ListUsableCouponsRequest; undefined when it is none. */
export function scanListUsableCoupons(bytes: Uint8Array): ScannedRequest | undefined {
  const scanned = emptyScan(true);
  const isMessage = walk(bytes, (field, reader) => {
    if (field !== USER_ID) return false;
    scanned.userId = reader.string();
    return true;
  });
  return isMessage ? scanned : undefined;
}

/** Looks through a ValidateCouponRequest; undefined when it is none. A code needs no wallet. */
export function scanValidateCoupon(bytes: Uint8Array): ScannedRequest | undefined {
  const scanned = emptyScan(false);
  const isMessage = walk(bytes, (field, reader) => {
    if (field === COUPON_ID) scanned.usesWallet = true;
    if (field === USER_ID) scanned.userId = reader.string();
    else if (field === CODE) scanned.codes = [reader.string()];
    else return false;
    return true;
  });
  return isMessage ? scanned : undefined;
}
