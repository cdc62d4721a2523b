/** What the main thread finds out for a cart beside its wallet: kept facts, limits, single-use codes. */
import { COUPON_BYTES, COUPON_FIELD_BYTES, decodeCouponValue } from '../domain/coupon.ts';
import type { LiveLimit } from '../domain/live-limit.ts';
import type { ResolvedCode } from '../engine/evaluation-input.ts';
import { normalisedCode } from '../engine/normalised-code.ts';
import { encodeList } from '../evaluation/live-inputs.ts';
import type { LiveInputs } from '../evaluation/pending-evaluation.ts';
import type { HolderState } from '../ledger/reads.ts';
import { ACCOUNT_FIELDS, userUsesField } from '../ledger/record-fields.ts';
import type { LimitHints } from './limit-hints.ts';
import type { WatchedPromotions } from './watched-promotions.ts';

/** Finds single-use codes, as typed; keys are codes as the engine compares them. Throws a refusal when that is not known. */
export type LookUpCodes = (
  codes: readonly string[],
  deadlineMs: number,
) => Promise<
  ReadonlyMap<string, { readonly promotionRef: number; readonly state: 'free' | 'held' | 'used' }>
>;

/** Where live inputs come from. */
export interface LiveSources {
  readonly watched: WatchedPromotions;
  readonly hints: LimitHints;
  /** Absent where there are no single-use codes. */
  readonly lookUpCodes?: LookUpCodes;
}

/** What was found out for one cart. */
export interface Found {
  readonly holder: HolderState | undefined;
  readonly codes: readonly ResolvedCode[];
  /** What the caller knows better than the hints. */
  readonly limits: readonly LiveLimit[];
}

const NO_BYTES = new Uint8Array();

/** The codes that may be single-use ones: not public, and there are such codes at all. */
export function codesToLookUp({ watched, lookUpCodes }: LiveSources, typed: readonly string[]): string[] {
  if (typed.length === 0 || lookUpCodes === undefined || !watched.hasSingleUseCodes) return [];
  return [...new Set(typed.map(normalisedCode))].filter((code) => code !== '' && !watched.isPublicCode(code));
}

/** Looks the codes up in one query. Throws a refusal when what they are is not known. */
export async function lookUp(
  look: LookUpCodes,
  codes: readonly string[],
  deadlineMs: number,
): Promise<ResolvedCode[]> {
  const found = await look(codes, deadlineMs);
  return codes.flatMap((code) => {
    const known = found.get(code);
    if (known === undefined) return [];
    const { promotionRef, state } = known;
    return [{ code, promotionRef, state: state === 'free' ? ('free' as const) : ('taken' as const) }];
  });
}

/** What goes to the worker; undefined when there is nothing, as is usual. */
export function liveInputs(sources: LiveSources, { holder, codes, limits }: Found): LiveInputs | undefined {
  const facts = holder?.account.get(ACCOUNT_FIELDS.facts.name) ?? NO_BYTES;
  const limitBytes = limitsFor(sources, holder, limits);
  if (facts.length === 0 && limitBytes.length === 0 && codes.length === 0) return undefined;
  return { facts, limits: limitBytes, codes: encodeList(codes) };
}

function limitsFor(
  { hints, watched }: LiveSources,
  holder: HolderState | undefined,
  known: readonly LiveLimit[],
): Uint8Array {
  const { list, bytes } = hints.current();
  const ofUser = holder === undefined || watched.perUser.size === 0 ? [] : userLimits(watched, holder);
  if (ofUser.length === 0 && known.length === 0) return bytes;
  const byRef = new Map<number, LiveLimit>();
  for (const limit of [...list, ...ofUser, ...known]) {
    byRef.set(limit.promotionRef, { ...byRef.get(limit.promotionRef), ...limit });
  }
  return encodeList([...byRef.values()]);
}

/** Limits per user that may bind: of promotions the user has used, or has several coupons of. */
function userLimits({ perUser }: WatchedPromotions, { account, wallet }: HolderState): LiveLimit[] {
  const coupons = couponsByRef(wallet);
  const limits: LiveLimit[] = [];
  for (const [promotionRef, allowed] of perUser) {
    const used = account.get(userUsesField(promotionRef).toString('latin1'));
    if (used === undefined && (coupons.get(promotionRef) ?? 0) < 2) continue;
    const seen = Math.max(0, Number(used ?? 0));
    limits.push({ promotionRef, userUses: { allowed, seen } });
  }
  return limits;
}

function couponsByRef(wallet: Uint8Array): Map<number, number> {
  const bytes = Buffer.from(wallet.buffer, wallet.byteOffset, wallet.byteLength);
  const counts = new Map<number, number>();
  for (let at = 0; at < bytes.length; at += COUPON_BYTES) {
    const { promotionRef } = decodeCouponValue(bytes.subarray(at + COUPON_FIELD_BYTES, at + COUPON_BYTES));
    counts.set(promotionRef, (counts.get(promotionRef) ?? 0) + 1);
  }
  return counts;
}
