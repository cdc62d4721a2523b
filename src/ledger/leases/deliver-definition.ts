/**
 * The order in which a definition comes to the partitions: the pool's first, then the others. A partition that knows a version
 * then proves that the pool knows its quantity, so nothing is granted by an older one to it any more. Where more is lent than
 * the new quantity, every partition closes its lease with the same write: what it has not used goes back.
 */
import { homePartition } from '../keys.ts';

/** What the delivery of a definition to one partition did. */
export interface LeasedDelivery {
  /** Units that are with partitions, as the pool has it; 0 where it is not. */
  readonly lent: number;
}

/** Delivers a definition to all partitions. Throws when one of them is not known to have it; the others may have it. */
export async function deliverDefinition<Delivery extends LeasedDelivery>(
  definition: { readonly ref: number; readonly quantity?: number },
  partitions: number,
  defineAt: (partition: number, closesLease: boolean) => Promise<Delivery>,
): Promise<Delivery[]> {
  const home = homePartition(definition.ref, partitions);
  const first = await defineAt(home, false);
  const closesLeases = definition.quantity !== undefined && first.lent > definition.quantity;
  const settled = await Promise.allSettled(
    Array.from({ length: partitions }, (_, partition) =>
      partition === home ? first : defineAt(partition, closesLeases),
    ),
  );
  return settled.map((each) => {
    // Those that can be reached have it all the same.
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}
