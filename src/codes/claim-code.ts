/**
 * A code becomes a coupon. A public code is a claim like any other. A single-use code spans two stores, so it takes two
 * steps that can each be repeated (LEDGER rule 11): Postgres binds the code to the user, then the ledger issues the coupon,
 * named by the claim that bound the code. One code therefore makes one coupon, however often it is tried.
 *
 * What a crash leaves is a bound code; the user's next call, or the job `complete-code-claims`, goes on from there. A refused
 * coupon frees the code again, but only by the attempt that bound it, and only while no other attempt was made: an attempt
 * that joins in cannot know what the others are about to get.
 */

import type { Sql } from '../database/client.ts';
import { violatedUniqueConstraint } from '../database/database-faults.ts';
import { REASONS, Refusal } from '../domain/refusal.ts';
import type { ClaimFacts } from '../ledger/claim-operation.ts';
import type { IssuedCoupon } from '../ledger/issue-coupon.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { codeAlreadyUsed, codeNotFound } from './code-refusals.ts';
import type { CodeSecrets } from './code-secrets.ts';
import { normaliseCode } from './code-text.ts';
import { couponOfCode, issueForCode, type JudgedFacts, requireOpenToCodes } from './issue-for-code.ts';
import type { PlausibleCodes } from './plausible-codes.ts';
import type { PublicCodes } from './public-codes.ts';
import { type BoundCode, bindCode, settleCode, unbindCode } from './store/claimed-codes.ts';
import { type CodeRow, readCodes } from './store/code-row.ts';

/** What claims of codes work with. */
export interface CodeClaimPorts {
  readonly sql: Sql;
  readonly ledger: Ledger;
  readonly secrets: CodeSecrets;
  readonly publicCodes: PublicCodes;
  readonly plausible: PlausibleCodes;
  /** Reports that a coupon was made while its code could not be written down as used; the job does it later. */
  reportUnsettled(cause: unknown): void;
}

/** A claim as the caller states it. */
export interface CodeClaimRequest {
  /** As typed. */
  readonly code: string;
  readonly userId: string;
  readonly requestId: string;
  readonly facts: ClaimFacts | undefined;
}

/** The coupon of a code. */
export interface ClaimedByCode extends IssuedCoupon {
  readonly promotionRef: number;
}

/** Takes codes into wallets. */
export class CodeClaims {
  private readonly ports: CodeClaimPorts;

  constructor(ports: CodeClaimPorts) {
    this.ports = ports;
  }

  /**
   * Makes the coupon of a code, or answers with the one an earlier attempt made. Throws CODE_NOT_FOUND, CODE_ALREADY_USED,
   * REQUEST_ID_REUSED, the refusals of a claim, ARCHIVE_UNAVAILABLE or LEDGER_*.
   */
  async claim(request: CodeClaimRequest, deadlineMs: number): Promise<ClaimedByCode> {
    const promotion = this.ports.publicCodes.promotionOf(request.code);
    if (promotion === undefined) return await this.claimSingleUse(request, deadlineMs);
    const claim = { ...request, promotionRef: promotion.ref };
    const coupon = await issueForCode(this.ports.ledger, claim, request.facts, deadlineMs);
    return { ...coupon, promotionRef: promotion.ref };
  }

  /** Goes on with a claim that an earlier attempt has left; a refusal frees its code. Throws when the outcome is unknown. */
  async complete(code: BoundCode, deadlineMs: number): Promise<'issued' | 'freed'> {
    try {
      await this.issue(code, 'judged', deadlineMs);
      return 'issued';
    } catch (error) {
      if (!isSettled(error)) throw error;
      await unbindCode(this.ports.sql, code, deadlineMs);
      return 'freed';
    }
  }

  private async claimSingleUse(request: CodeClaimRequest, deadlineMs: number): Promise<ClaimedByCode> {
    const row = await this.find(request.code, deadlineMs);
    const isOwn = row.user_id === request.userId && row.order_id === null;
    if (row.state !== 'free' && !isOwn) throw codeAlreadyUsed();
    if (row.state === 'used') return await this.answerAgain(row, request, deadlineMs);
    if (row.state === 'free')
      await this.requireOpen({ ...request, promotionRef: row.promotion_ref }, deadlineMs);
    const bound = await this.bind(row.hash, request, deadlineMs);
    try {
      return await this.issue(bound, 'judged', deadlineMs);
    } catch (error) {
      if (bound.isFirst && isSettled(error)) await unbindCode(this.ports.sql, bound, deadlineMs);
      throw error;
    }
  }

  private async requireOpen(
    claim: CodeClaimRequest & { readonly promotionRef: number },
    deadlineMs: number,
  ): Promise<void> {
    await requireOpenToCodes(this.ports.ledger, claim, claim.facts, deadlineMs);
  }

  private async find(typed: string, deadlineMs: number): Promise<CodeRow> {
    const { sql, secrets, plausible } = this.ports;
    const code = normaliseCode(typed);
    const worthAsking = await plausible.among([code], deadlineMs);
    if (!worthAsking.has(code)) throw codeNotFound();
    const [row] = await readCodes(sql, [secrets.digest(code)], deadlineMs);
    if (row === undefined) throw codeNotFound();
    return row;
  }

  private async answerAgain(
    row: CodeRow,
    request: CodeClaimRequest,
    deadlineMs: number,
  ): Promise<ClaimedByCode> {
    const claim = { ...request, promotionRef: row.promotion_ref, requestId: row.request_id ?? '' };
    const coupon = await couponOfCode(this.ports.ledger, claim, deadlineMs);
    if (coupon === undefined) throw codeAlreadyUsed();
    return { ...coupon, promotionRef: row.promotion_ref };
  }

  private async bind(hash: Buffer, request: CodeClaimRequest, deadlineMs: number): Promise<BoundCode> {
    try {
      const bound = await bindCode(this.ports.sql, hash, request, deadlineMs);
      if (bound !== undefined) return bound;
    } catch (error) {
      if (violatedUniqueConstraint(error) === undefined) throw error;
      throw new Refusal('REQUEST_ID_REUSED', 'The request id was used for another code');
    }
    // It was free or this user's own a moment ago: somebody was faster, or an attempt of the same user has just succeeded.
    const [row] = await readCodes(this.ports.sql, [hash], deadlineMs);
    if (row?.state !== 'used' || row.user_id !== request.userId || row.order_id !== null)
      throw codeAlreadyUsed();
    return {
      hash,
      promotionRef: row.promotion_ref,
      userId: request.userId,
      requestId: row.request_id ?? '',
      attempt: 0,
      isFirst: false,
    };
  }

  private async issue(bound: BoundCode, facts: JudgedFacts, deadlineMs: number): Promise<ClaimedByCode> {
    const { sql, ledger, reportUnsettled } = this.ports;
    const coupon = await issueForCode(ledger, bound, facts, deadlineMs);
    // The coupon is the user's by now, whatever becomes of this.
    await settleCode(sql, bound, coupon.couponId, deadlineMs).catch(reportUnsettled);
    return { ...coupon, promotionRef: bound.promotionRef };
  }
}

/** A refusal that says that nothing happened and never will by this attempt. */
function isSettled(error: unknown): boolean {
  return error instanceof Refusal && REASONS[error.reason].outcome === 'noEffect';
}
