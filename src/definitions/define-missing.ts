import { LRUCache } from 'lru-cache';
import type { DefinitionPorts } from './definition-ports.ts';
import { deliver } from './deliver.ts';
import { readPromotionByRef } from './store/read-promotions.ts';

/** An unknown ref is not looked up again for this long: a flood of wrong refs must not reach Postgres. */
const UNKNOWN_FOR_MS = 1_000;
const UNKNOWN_KEPT = 10_000;
/** A claim waits for this; its own deadline is checked by its caller. */
const DEADLINE_AFTER_MS = 2_000;

/**
 * Brings the definition of a promotion whose record the ledger misses; false when there is no such promotion. Any number
 * of claims may ask at once: they share one delivery. Throws ARCHIVE_UNAVAILABLE or LEDGER_*.
 */
export function createDefineMissing(
  ports: Pick<DefinitionPorts, 'sql' | 'ledger'>,
  nowMs: () => number,
): (ref: number) => Promise<boolean> {
  const underWay = new Map<number, Promise<boolean>>();
  const unknown = new LRUCache<number, true>({ max: UNKNOWN_KEPT, ttl: UNKNOWN_FOR_MS });

  const bring = async (ref: number): Promise<boolean> => {
    const deadlineMs = nowMs() + DEADLINE_AFTER_MS;
    const stored = await readPromotionByRef(ports.sql, ref, deadlineMs);
    if (stored === undefined) {
      unknown.set(ref, true);
      return false;
    }
    await deliver(ports, stored, deadlineMs);
    return true;
  };

  return (ref) => {
    if (unknown.has(ref)) return Promise.resolve(false);
    const shared = underWay.get(ref) ?? bring(ref).finally(() => underWay.delete(ref));
    underWay.set(ref, shared);
    return shared;
  };
}
