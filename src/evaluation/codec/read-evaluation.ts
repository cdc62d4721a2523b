import { epochMs } from '../../domain/epoch-ms.ts';
import type { EvaluationInput, HeldCoupon, Selection } from '../../engine/evaluation-input.ts';
import {
  type CouponSelection,
  decodeEvaluateCartRequest,
  type EvaluateCartRequest,
  violationsOfEvaluateCartRequest,
} from '../../gen/hot/cart-requests.ts';
import { factsUsed } from '../facts-used.ts';
import { type KnownLive, NOTHING_LIVE } from '../live-inputs.ts';
import { findEvaluationFaults } from './cart-faults.ts';
import { cartOf, codesOf, factsOf, limitsOf, offersOf, walletOf } from './cart-parts.ts';
import { validRequest } from './violations.ts';

/** What a request is read with. */
export interface Circumstances {
  /** The facts the request states are believed; otherwise nothing is known about the user. */
  readonly areFactsBelieved: boolean;
  /** The moment of a request that states none, in epoch milliseconds. */
  readonly nowMs: number;
  /** Coupons and codes an order may use when the request does not say. */
  readonly couponsPerOrder: number;
  /** What was read of the live state; absent when nothing of it matters. */
  readonly live?: KnownLive;
}

/** Everything an evaluation needs except the wallet. */
export type WalletlessInput = Omit<EvaluationInput, 'coupons'>;

/** A request to evaluate a cart, read. */
export interface EvaluationRequest {
  /** Empty: nobody, or the user of the token. */
  readonly userId: string;
  readonly usesWallet: boolean;
  readonly input: WalletlessInput;
  /** The answer explains itself: with the trace and the wallet. */
  readonly explains: boolean;
  /** An earlier version of the rules to decide by. */
  readonly ruleSetVersion?: number;
  /** The wallet to consider instead of the user's present one; who may state it is not looked at here. */
  readonly heldCoupons?: readonly HeldCoupon[];
}

const CODEC = { decode: decodeEvaluateCartRequest, violationsOf: violationsOfEvaluateCartRequest };
const BEST: Selection = { kind: 'best' };

/** Reads an EvaluateCartRequest. Throws Refusal INVALID_REQUEST with every violation by field path. */
export function readEvaluation(bytes: Uint8Array, circumstances: Circumstances): EvaluationRequest {
  const request = validRequest(CODEC, bytes, findEvaluationFaults);
  const { userId, useWallet, explain, ruleSetVersion, heldCoupons } = request;
  return {
    userId,
    usesWallet: useWallet,
    input: inputOf(request, circumstances),
    explains: explain,
    ...(ruleSetVersion !== undefined && { ruleSetVersion }),
    ...(heldCoupons.length > 0 && { heldCoupons: walletOf(heldCoupons) }),
  };
}

function inputOf(
  request: EvaluateCartRequest,
  { areFactsBelieved, nowMs, couponsPerOrder, live = NOTHING_LIVE }: Circumstances,
): WalletlessInput {
  const { cart, offers, facts, at, codes, selection, explain, liveLimits, resolvedCodes } = request;
  if (cart === undefined) throw new Error('a valid request has a cart');
  return {
    cart: cartOf(cart),
    offers: offersOf(offers),
    facts: factsUsed(factsOf(facts, areFactsBelieved), live.facts),
    atMs: at === undefined ? nowMs : epochMs(at),
    codes,
    resolvedCodes: resolvedCodes.length > 0 ? codesOf(resolvedCodes) : live.codes,
    limits: liveLimits.length > 0 ? limitsOf(liveLimits) : live.limits,
    selection: selectionOf(selection),
    couponsPerOrder: request.couponsPerOrder ?? couponsPerOrder,
    wantsTrace: explain,
  };
}

function selectionOf(selection: CouponSelection | undefined): Selection {
  if (selection === undefined) return BEST;
  return { kind: 'own', couponIds: selection.couponIds, codes: selection.codes };
}
