/**
 * What the main thread must know of the promotions in force to tell which carts need more than their request says: most need
 * nothing, and pay for nothing.
 */

import { normalisedCode } from '../engine/normalised-code.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import { AttributeSource, type Rule } from '../gen/hongbao/v1/rule_pb.ts';
import { type UseLimits, useLimits } from '../redemption/usage-steps.ts';

/** A promotion in its current version. */
export interface WatchedEntry {
  readonly ref: number;
  readonly promotion: Promotion;
}

/** What one promotion asks for. */
interface Watched {
  readonly looksAtFacts: boolean;
  readonly isSingleUse: boolean;
  readonly publicCode: string | undefined;
  readonly limits: UseLimits | undefined;
}

/** Follows the rule set; every question about it is answered from memory. */
export class WatchedPromotions {
  private readonly byRef = new Map<number, Watched>();
  private readonly codes = new Map<string, number>();
  private factLookers = 0;
  private singleUse = 0;
  /** Limits of uses by anybody, of money, or of both, by ref. */
  readonly limited = new Map<number, UseLimits>();
  /** Uses one user may make, by ref. */
  readonly perUser = new Map<number, number>();

  /** Begins with a whole rule set. */
  replace(entries: Iterable<WatchedEntry>): void {
    for (const ref of [...this.byRef.keys()]) this.change(ref, undefined);
    for (const { ref, promotion } of entries) this.change(ref, promotion);
  }

  /** Takes promotions that changed as they are in the rule set by now. */
  follow(
    changes: readonly { readonly ref: number }[],
    current: { byRef(ref: number): WatchedEntry | undefined },
  ): void {
    for (const { ref } of changes) this.change(ref, current.byRef(ref)?.promotion);
  }

  /** Takes a promotion as it is now; undefined when it is gone. */
  change(ref: number, promotion: Promotion | undefined): void {
    const before = this.byRef.get(ref);
    if (before !== undefined) this.count(before, -1);
    this.byRef.delete(ref);
    this.limited.delete(ref);
    this.perUser.delete(ref);
    const watched = promotion && watchedOf(promotion);
    if (watched === undefined) return;
    this.byRef.set(ref, watched);
    this.count(watched, 1);
    this.noteLimits(ref, watched.limits);
  }

  /** Whether any promotion asks what is known about the user. */
  get looksAtFacts(): boolean {
    return this.factLookers > 0;
  }

  /** Whether a code that is not public may be a single-use one. */
  get hasSingleUseCodes(): boolean {
    return this.singleUse > 0;
  }

  /** Whether a code, as the engine compares it, opens a promotion for everybody. */
  isPublicCode(code: string): boolean {
    return this.codes.has(code);
  }

  private count({ looksAtFacts, isSingleUse, publicCode }: Watched, step: 1 | -1): void {
    if (looksAtFacts) this.factLookers += step;
    if (isSingleUse) this.singleUse += step;
    if (publicCode === undefined) return;
    const sharing = (this.codes.get(publicCode) ?? 0) + step;
    if (sharing > 0) this.codes.set(publicCode, sharing);
    else this.codes.delete(publicCode);
  }

  private noteLimits(ref: number, limits: UseLimits | undefined): void {
    if (limits === undefined) return;
    const { total, periods, budgetMinor, perUser } = limits;
    if (total !== undefined || budgetMinor !== undefined || periods.length > 0) this.limited.set(ref, limits);
    if (perUser !== undefined) this.perUser.set(ref, perUser);
  }
}

/** Undefined when nothing about a promotion matters here, as is usual. */
function watchedOf(promotion: Promotion): Watched | undefined {
  const { reach, target, rules, limits } = promotion;
  const codes = reach?.way.case === 'code' ? reach.way.value.codes : undefined;
  const publicCode = codes?.case === 'publicCode' ? normalisedCode(codes.value.code) : undefined;
  const isSingleUse = codes?.case === 'singleUseCodes';
  const audience = target?.audience.case;
  const looksAtFacts = audience === 'newUsers' || audience === 'taggedUsers' || rules.some(asksForFacts);
  if (!looksAtFacts && !isSingleUse && publicCode === undefined && limits === undefined) return undefined;
  return { looksAtFacts, isSingleUse, publicCode, limits: limits && useLimits(limits) };
}

function asksForFacts({ kind }: Rule): boolean {
  switch (kind.case) {
    case 'firstOrder':
    case 'nthOrder':
      return true;
    case 'customAttribute':
      return kind.value.source === AttributeSource.USER;
    case 'cel':
      return kind.value.expression.includes('user');
    default:
      return false;
  }
}
