import { toBinary } from '@bufbuild/protobuf';
import { LRUCache } from 'lru-cache';
import type { Sql } from '../database/client.ts';
import { readVersion } from '../definitions/store/read-promotions.ts';
import { type Promotion, PromotionSchema } from '../gen/hongbao/v1/promotion_pb.ts';
import type { RuleSet } from './rule-set.ts';

/** Older versions kept in memory; a coupon shows the one it was claimed under. */
const VERSIONS_KEPT = 10_000;

/** Promotions by what callers know of them: the ones in force from memory, older versions from Postgres. */
export class PromotionBook {
  private readonly keeper: { readonly current: RuleSet };
  private readonly sql: Sql;
  private readonly older = new LRUCache<string, Promotion>({ max: VERSIONS_KEPT });

  constructor(keeper: { readonly current: RuleSet }, sql: Sql) {
    this.keeper = keeper;
    this.sql = sql;
  }

  /** The promotion in force under this id; undefined when there is none. */
  byId(promotionId: string): Promotion | undefined {
    return this.keeper.current.byId(promotionId)?.promotion;
  }

  /** Active promotions of the claim centre, highest priority first, then by id. */
  claimable(): readonly Promotion[] {
    return this.keeper.current.claimable();
  }

  /** Active promotions that points buy, cheapest first, then by priority and id. */
  exchangeable(): readonly Promotion[] {
    return this.keeper.current.exchangeable();
  }

  /**
   * One stored version; undefined when it does not exist. Versions never change, so what was read once is kept. Throws
   * ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED when an older one is not in memory and Postgres does not answer.
   */
  async version(ref: number, version: number, deadlineMs: number): Promise<Promotion | undefined> {
    const current = this.keeper.current.byRef(ref);
    if (current?.version === version) return current.promotion;
    const key = `${ref}/${version}`;
    const kept = this.older.get(key);
    if (kept !== undefined) return kept;
    const stored = await readVersion(this.sql, ref, version, deadlineMs);
    if (stored !== undefined) this.older.set(key, stored.promotion);
    return stored?.promotion;
  }

  /** The same in binary form. */
  async versionBody(ref: number, version: number, deadlineMs: number): Promise<Uint8Array | undefined> {
    const promotion = await this.version(ref, version, deadlineMs);
    return promotion && toBinary(PromotionSchema, promotion);
  }
}
