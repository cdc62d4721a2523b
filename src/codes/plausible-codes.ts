import type { Sql } from '../database/client.ts';
import { hasCodeLetters, hasRightCheck } from './code-text.ts';
import { FOREIGN_CODES_POLL_MS, IMPORTED_CODE_LETTERS } from './limits.ts';
import { haveCodesBeenImported } from './store/code-row.ts';

/**
 * Tells which texts may be codes at all, so that a guess costs no query. Generated codes check themselves. Imported ones
 * were made by others and need not: from the first import on, every text with the right letters is looked up.
 */
export class PlausibleCodes {
  private readonly sql: Sql;
  private readonly nowMs: () => number;
  private hasForeign = false;
  private askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(sql: Sql, nowMs: () => number) {
    this.sql = sql;
    this.nowMs = nowMs;
  }

  /** Those of these normalised codes that are worth a query. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
  async among(codes: readonly string[], deadlineMs: number): Promise<ReadonlySet<string>> {
    const written = codes.filter((code) => hasCodeLetters(code) && code.length <= IMPORTED_CODE_LETTERS.max);
    if (written.every(hasRightCheck)) return new Set(written);
    const takesForeign = await this.areForeignKnown(deadlineMs);
    return new Set(takesForeign ? written : written.filter(hasRightCheck));
  }

  /** Once there are some they stay; while there are none the question is asked now and then. */
  private async areForeignKnown(deadlineMs: number): Promise<boolean> {
    const nowMs = this.nowMs();
    if (this.hasForeign || nowMs - this.askedAtMs < FOREIGN_CODES_POLL_MS) return this.hasForeign;
    this.hasForeign = await haveCodesBeenImported(this.sql, deadlineMs);
    this.askedAtMs = nowMs;
    return this.hasForeign;
  }
}
