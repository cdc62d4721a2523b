/** Delivers the live part of a promotion to a partition. */
import type { LiveDefinition } from '../domain/live-definition.ts';
import { Refusal } from '../domain/refusal.ts';
import type { PartitionKeys } from './keys.ts';
import { encodeLiveDefinition } from './live-definition.ts';
import type { RunScript } from './script-runner.ts';

/** What a delivery did: `applied` is false when the partition had this version or a later one. */
export interface Delivery {
  readonly applied: boolean;
  /** Sequence number of the record's last definition. */
  readonly seq: number;
  readonly issued: number;
  /** Units that the promotion's pool had lent to partitions; 0 in other partitions than its home. */
  readonly lent: number;
}

/** Where a definition goes, and what becomes of the partition's lease. */
export interface DefineTarget {
  readonly keys: PartitionKeys;
  /** The promotion's pool lies here; never where there is one partition. */
  readonly hasPool: boolean;
  /** What the partition has not used goes back to the pool. */
  readonly closesLease: boolean;
}

function deliveryOf(reply: unknown): Delivery {
  if (!Array.isArray(reply)) throw new Refusal('LEDGER_CLOSED', 'the partition is closed');
  const [applied, seq, issued, lent] = reply.map(Number);
  if (seq === undefined || issued === undefined || lent === undefined)
    throw new TypeError('the define script answered something else');
  return { applied: applied === 1, seq, issued, lent };
}

/** Writes the definition; may be repeated. */
export async function define(
  run: RunScript,
  { keys, hasPool, closesLease }: DefineTarget,
  definition: LiveDefinition,
): Promise<Delivery> {
  const ref = String(definition.ref);
  const pool = hasPool ? [keys.poolPrefix + ref] : [];
  const reply = await run(
    'define',
    [keys.stream, keys.meta, keys.promotionPrefix + ref, keys.index, ...pool],
    [
      definition.id,
      ref,
      definition.version,
      encodeLiveDefinition(definition),
      Buffer.from(definition.body),
      definition.quantity === undefined ? '' : String(definition.quantity),
      keys.partitions,
      closesLease ? '1' : '0',
    ],
  );
  return deliveryOf(reply);
}
