/** The key of a record a transaction names. */
import type { PartitionKeys } from './keys.ts';
import type { RecordName } from './transaction.ts';

/** Answers with the Redis key of the record. */
export function recordKey(keys: PartitionKeys, { record, id }: RecordName): string {
  switch (record) {
    case 'wallet':
      return keys.walletPrefix + id;
    case 'promotion':
      return keys.promotionPrefix + id;
    case 'order':
      return keys.orderPrefix + id;
    case 'account':
      return keys.accountPrefix + id;
    case 'usage':
      return keys.usagePrefix + id;
    case 'pool':
      return keys.poolPrefix + id;
  }
}
