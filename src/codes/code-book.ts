/** Single-use codes as the checkout needs them: looked up for an evaluation, and held for an order. */
import type { Sql } from '../database/client.ts';
import { normalisedCode } from '../engine/normalised-code.ts';
import type { CodeHolder, CodeHolds, OrderCode } from '../redemption/code-holds.ts';
import { codeAlreadyUsed, codeNotFound } from './code-refusals.ts';
import type { CodeSecrets } from './code-secrets.ts';
import { normaliseCode } from './code-text.ts';
import type { PlausibleCodes } from './plausible-codes.ts';
import { readCodes } from './store/code-row.ts';
import { confirmCodes, freeCodes, holdCodes, unsettledOrders } from './store/order-codes.ts';

/** What is known of a code. A held or used one has a user, and an order unless it went into the wallet. */
export interface KnownCode {
  readonly promotionRef: number;
  readonly state: 'free' | 'held' | 'used';
  readonly userId?: string;
  readonly orderId?: string;
}

/** What the book works with. */
export interface CodeBookPorts {
  readonly sql: Sql;
  readonly secrets: CodeSecrets;
  readonly plausible: PlausibleCodes;
}

/** The single-use codes. Methods throw ARCHIVE_UNAVAILABLE and DEADLINE_EXCEEDED. */
export class CodeBook implements CodeHolds {
  private readonly ports: CodeBookPorts;

  constructor(ports: CodeBookPorts) {
    this.ports = ports;
  }

  /**
   * What is known of these codes, as typed; unknown ones are left out. Keys are as the engine compares codes
   * (`normalisedCode`). A code whose check letter is wrong costs no query.
   */
  async lookUp(codes: readonly string[], deadlineMs: number): Promise<Map<string, KnownCode>> {
    const { sql, secrets, plausible } = this.ports;
    const worthAsking = await plausible.among(codes.map(normaliseCode), deadlineMs);
    const found = new Map<string, KnownCode>();
    if (worthAsking.size === 0) return found;
    const digests = new Map([...worthAsking].map((code) => [code, secrets.digest(code)]));
    const rows = await readCodes(sql, [...digests.values()], deadlineMs);
    const byHash = new Map(rows.map((row) => [row.hash.toString('hex'), row]));
    for (const typed of codes) {
      const row = byHash.get(digests.get(normaliseCode(typed))?.toString('hex') ?? '');
      if (row === undefined) continue;
      found.set(normalisedCode(typed), {
        promotionRef: row.promotion_ref,
        state: row.state,
        ...(row.user_id !== null && { userId: row.user_id }),
        ...(row.order_id !== null && { orderId: row.order_id }),
      });
    }
    return found;
  }

  async hold(
    codes: readonly OrderCode[],
    userId: string,
    orderId: string,
    deadlineMs: number,
    untilMs: number,
  ): Promise<void> {
    if (codes.length === 0) return;
    const byText = new Map(codes.map(({ code, promotionRef }) => [normaliseCode(code), promotionRef]));
    const wanted = [...byText].map(([code, promotionRef]) => ({
      hash: this.ports.secrets.digest(code),
      promotionRef,
    }));
    const outcome = await holdCodes(this.ports.sql, wanted, { userId, orderId, untilMs }, deadlineMs);
    if (outcome.known < wanted.length) throw codeNotFound();
    if (outcome.available < wanted.length) throw codeAlreadyUsed();
  }

  async confirm(userId: string, orderId: string, deadlineMs: number): Promise<void> {
    await confirmCodes(this.ports.sql, userId, orderId, deadlineMs);
  }

  async free(userId: string, orderId: string, deadlineMs: number): Promise<void> {
    await freeCodes(this.ports.sql, userId, orderId, deadlineMs);
  }

  async unsettled(nowMs: number, limit: number, deadlineMs: number): Promise<readonly CodeHolder[]> {
    return await unsettledOrders(this.ports.sql, nowMs, limit, deadlineMs);
  }
}
