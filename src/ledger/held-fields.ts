/** Steps that hold fields to what was read of them, so that what is decided on them is right when it is written. */
import type { RecordName, Step } from './transaction.ts';

/** The field is as it was read. */
export function unchanged(on: RecordName, field: Buffer, record: ReadonlyMap<string, Buffer>): Step {
  const value = record.get(field.toString('latin1'));
  return value === undefined ? { kind: 'absent', on, field } : { kind: 'expect', on, field, value };
}

/** The field goes from what was read to these bytes; no steps when it has them. */
export function changed(
  on: RecordName,
  field: Buffer,
  record: ReadonlyMap<string, Buffer>,
  value: Buffer,
): Step[] {
  if (record.get(field.toString('latin1'))?.equals(value)) return [];
  return [unchanged(on, field, record), { kind: 'set', on, field, value }];
}
