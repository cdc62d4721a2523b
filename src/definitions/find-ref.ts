import { LRUCache } from 'lru-cache';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../domain/refusal.ts';
import { readPromotion } from './store/read-promotions.ts';

/** An unknown id is not looked up again for this long: a flood of wrong ids must not reach the stores. */
const UNKNOWN_FOR_MS = 1_000;
const UNKNOWN_KEPT = 10_000;

/** Where refs are looked up. */
export interface FindRefPorts {
  readonly sql: Sql;
  /** The ref the ledger knows an id by; undefined when it does not. */
  readonly ledgerRef: (promotionId: string, deadlineMs: number) => Promise<number | undefined>;
}

/**
 * Looks up the ref of a promotion this process has not heard of yet: first in the ledger, which answers while Postgres is
 * down, then where promotions are defined. Undefined when there is none; throws when that cannot be known.
 */
export function createFindRef(
  ports: FindRefPorts,
): (promotionId: string, deadlineMs: number) => Promise<number | undefined> {
  const unknown = new LRUCache<string, true>({ max: UNKNOWN_KEPT, ttl: UNKNOWN_FOR_MS });
  return async (promotionId, deadlineMs) => {
    if (unknown.has(promotionId)) return undefined;
    const ref =
      (await ports.ledgerRef(promotionId, deadlineMs)) ??
      (await definedRef(ports.sql, promotionId, deadlineMs));
    if (ref === undefined) unknown.set(promotionId, true);
    return ref;
  };
}

async function definedRef(sql: Sql, promotionId: string, deadlineMs: number): Promise<number | undefined> {
  try {
    const { promotion } = await readPromotion(sql, promotionId, deadlineMs);
    return promotion.ref;
  } catch (error) {
    if (error instanceof Refusal && error.reason === 'PROMOTION_NOT_FOUND') return undefined;
    throw error;
  }
}
