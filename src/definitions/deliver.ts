import { Refusal } from '../domain/refusal.ts';
import type { DefinitionPorts } from './definition-ports.ts';
import { liveDefinition } from './live-definition.ts';
import { confirmDelivery } from './store/deliveries.ts';
import type { StoredPromotion } from './store/stored-promotion.ts';

/** What the ledger answered to a delivery. */
export interface Delivery {
  /** By partition, the entry that holds the promotion's last definition. */
  readonly seqs: readonly number[];
  readonly issued: number;
}

/**
 * Brings a version to every partition of the ledger and crosses it off the outbox. May be repeated, also by several processes at once: the
 * ledger takes versions in rising order only. Throws a LEDGER_* refusal when the ledger did not confirm it; the outbox
 * then still holds it.
 */
export async function deliver(
  { sql, ledger }: Pick<DefinitionPorts, 'sql' | 'ledger'>,
  { promotion, body }: StoredPromotion,
  deadlineMs: number,
): Promise<Delivery> {
  const { seqs, issued } = await ledger
    .define(liveDefinition(promotion, body), deadlineMs)
    .catch((cause: unknown) => {
      throw cause instanceof Refusal ? cause : ledgerUnavailable(cause);
    });
  const delivered = { ref: promotion.ref, version: promotion.version, seqs };
  // The change is live; a database that fails now only makes the outbox deliver it once more.
  await confirmDelivery(sql, delivered, deadlineMs).catch(() => {});
  return { seqs, issued };
}

function ledgerUnavailable(cause: unknown): Refusal {
  return new Refusal('LEDGER_UNAVAILABLE', 'the change is stored and goes live when the ledger answers', {
    cause,
  });
}
