import { decodeRedemption, type Redemption } from '../../domain/redemption.ts';
import { ORDER_FIELDS } from '../../ledger/record-fields.ts';
import type { RecordImage } from './apply-write.ts';

/** What an order holds, by its image; undefined when it has no head, or one that cannot be read. */
export function orderHead(image: RecordImage | undefined): Redemption | undefined {
  const head = image?.get(ORDER_FIELDS.head.name);
  if (head === undefined) return undefined;
  try {
    return decodeRedemption(Buffer.from(head, 'latin1'));
  } catch {
    return undefined;
  }
}

/** Is this field an order's head? */
export function isHead(field: Buffer): boolean {
  return field.toString('latin1') === ORDER_FIELDS.head.name;
}
