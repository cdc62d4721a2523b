/**
 * What is leased, and where its figures are kept. A quantity of a promotion (its coupons, its uses, its budget) is held by the
 * pool in the promotion's home partition and lent to partitions in chunks. All figures are cumulative: what was ever granted
 * and what ever came back. A step that is done twice, late or not at all therefore changes nothing that a later look would not
 * put right, which amounts moved to and fro could not (LEDGER rule 10).
 */
import type { PoolFields, RecordField } from '../record-fields.ts';
import type { RecordName, Step } from '../transaction.ts';

/** Fields of a record by name (latin1), as far as they were read. */
export type Fields = ReadonlyMap<string, Buffer>;

/** What one partition has of a quantity. */
export interface Share {
  /** Units ever delivered to it, and those it used beyond them while there was no limit. */
  readonly granted: number;
  /** Units it ever gave back. */
  readonly back: number;
  /** Units in use; those that are used no more count no longer. */
  readonly used: number;
  /** False while it uses as many as it likes, because a definition with a limit has not come to it yet. */
  readonly isBounded: boolean;
  /** False when its lease was made for a larger limit than the one asked about, and is good for nothing until it is renewed. */
  readonly isInForce: boolean;
}

/** A quantity that is leased, told apart from others, and its figures in records. */
export interface LeaseShape {
  readonly promotionRef: number;
  /** The pool's record, in the promotion's home partition. */
  readonly pool: RecordName;
  readonly poolFields: PoolFields;
  /** The record that holds a partition's share. */
  readonly record: RecordName;
  /** The fields of a share that change with leases. */
  readonly leaseFields: readonly RecordField[];
  /** The fields that change with use; together they never hold the same twice, where that can be had. */
  readonly usedFields: readonly RecordField[];
  /** What must still be as it was read when units are delivered; a change of the limit changes it. */
  readonly fence: readonly RecordField[];
  /** The limit in force; undefined when there is none. */
  limitIn(pool: Fields): number | undefined;
  /** The share in a record. */
  shareIn(record: Fields): Share;
  /** Makes the share's figures these, and its lease one under the limit asked about: all that is lent must be within that. */
  write(granted: number, back: number): Step[];
  /** Makes the share's figures these; its lease stays one under the limit it was made for. */
  writeBack(read: Fields, granted: number, back: number): Step[];
  /** Holds while at most so many are used. */
  usedAtMost(units: number): Step;
}

/** The steps that hold while fields are as they were read. */
export function unchanged(on: RecordName, fields: readonly RecordField[], read: Fields): Step[] {
  return fields.map(({ name, bytes }): Step => {
    const value = read.get(name);
    return value === undefined
      ? { kind: 'absent', on, field: bytes }
      : { kind: 'expect', on, field: bytes, value };
  });
}

/** The step that gives a field a whole number. */
export function setNumber(on: RecordName, field: RecordField, value: number): Step {
  return { kind: 'set', on, field: field.bytes, value: Buffer.from(String(value)) };
}

/** The whole number in a field; 0 when it is absent or empty. */
export function numberIn(fields: Fields, { name }: RecordField): number {
  return Number(fields.get(name)?.toString('latin1') ?? 0);
}
