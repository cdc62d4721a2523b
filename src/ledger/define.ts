/** Delivers the live part of a promotion to a partition. */
import type { Redis } from 'ioredis';
import type { LiveDefinition } from '../domain/live-definition.ts';
import { Refusal } from '../domain/refusal.ts';
import type { PartitionKeys } from './keys.ts';
import { encodeLiveDefinition } from './live-definition.ts';
import { runScript } from './script-runner.ts';

/** What a delivery did: `applied` is false when the partition had this version or a later one. */
export interface Delivery {
  readonly applied: boolean;
  /** Sequence number of the record's last definition. */
  readonly seq: number;
  readonly issued: number;
}

function deliveryOf(reply: unknown): Delivery {
  if (!Array.isArray(reply)) throw new Refusal('LEDGER_CLOSED', 'the partition is closed');
  const [applied, seq, issued] = reply.map(Number);
  if (seq === undefined || issued === undefined)
    throw new TypeError('the define script answered something else');
  return { applied: applied === 1, seq, issued };
}

/** Writes the definition; may be repeated. With one partition it is granted the promotion's whole quantity. */
export async function define(
  redis: Redis,
  keys: PartitionKeys,
  definition: LiveDefinition,
): Promise<Delivery> {
  const ref = String(definition.ref);
  const granted = definition.quantity === undefined ? '' : String(definition.quantity);
  const reply = await runScript(
    redis,
    'define',
    [keys.stream, keys.meta, keys.promotionPrefix + ref, keys.index],
    [
      definition.id,
      ref,
      definition.version,
      encodeLiveDefinition(definition),
      Buffer.from(definition.body),
      granted,
    ],
  );
  return deliveryOf(reply);
}
