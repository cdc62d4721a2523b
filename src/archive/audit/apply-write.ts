import { appliedValue, type Write } from '../../ledger/event-format.ts';

/** A record as the events made it: field names and values as latin1 text. */
export type RecordImage = ReadonlyMap<string, string>;

/** Carries a write of entry `seq` out on an image of its record. */
export function applyWrite(image: Map<string, string>, { fields }: Write, seq: number): void {
  for (const { field, value } of fields) {
    const applied = appliedValue(field, value, seq);
    if (applied === undefined) image.delete(field.toString('latin1'));
    else image.set(field.toString('latin1'), applied.toString('latin1'));
  }
}

/** The user in the id of a wallet, an account or an order. */
export function userOfRecord(id: string): string {
  const slash = id.indexOf('/');
  return slash < 0 ? id : id.slice(0, slash);
}
