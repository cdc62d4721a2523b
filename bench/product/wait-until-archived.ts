/** Waits until Postgres has what the ledger has issued, so that no contender is measured while the archive still works for another. */
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { archiveProgress } from '../../src/definitions/store/archive-progress.ts';
import type { Product } from './product.ts';
import type { Promotions } from './promotions.ts';

const POLL_MS = 100;

/**
 * Waits until every coupon of the promotion is in Postgres; throws when that takes longer than `limitMs`. Compares two counters:
 * to count the coupons themselves, again and again, would be work that measurements are charged with.
 */
export async function waitUntilArchived(
  { databaseUrl }: Product,
  promotions: Promotions,
  promotionId: string,
  limitMs: number,
): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, fetch_types: false, onnotice: () => undefined });
  const progress = archiveProgress(sql);
  const endsMs = Date.now() + limitMs;
  try {
    for (;;) {
      const { ref, issued } = await promotions.issued(promotionId);
      const archived = (await progress.readIssued([ref], endsMs)).get(ref) ?? 0;
      if (archived >= issued) return;
      if (Date.now() > endsMs)
        throw new Error(`${promotionId}: ${archived} of ${issued} coupons archived in time`);
      await sleep(POLL_MS);
    }
  } finally {
    await sql.end();
  }
}
