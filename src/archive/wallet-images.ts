/** Wallets as the projections have them: what Redis holds of them once the archive is level, field by field. */
import { textArray } from '../database/array-literal.ts';
import type { Sql } from '../database/client.ts';
import { COUPON_FIELD_BYTES } from '../domain/coupon.ts';
import { claimCounterField, SEQUENCE_FIELD } from '../ledger/record-fields.ts';
import type { PartitionId } from './ledger-port.ts';
import { sequenceMark } from './wallet-fields.ts';

/** The fields of a record by name (latin1). */
export type FieldImage = Map<string, Buffer>;

/** A wallet of the projections. */
export interface ArchivedWallet {
  /** What Redis holds; empty when there is no such wallet. */
  readonly fields: FieldImage;
  /** All coupons, those that left Redis included. */
  readonly coupons: readonly ArchivedCoupon[];
}

/** A coupon of the archive. */
export interface ArchivedCoupon {
  readonly user_id: string;
  readonly coupon_id: Buffer;
  readonly value: Buffer;
  readonly promotion_ref: number;
  readonly state: string;
  readonly hidden: boolean;
  /** It left Redis and stays in the archive. */
  readonly retired: boolean;
  readonly claims: string | null;
  readonly live: number | null;
  readonly generation: number;
  readonly seq: string;
  readonly event_index: number;
}

interface FieldRow {
  readonly id: string;
  readonly field: Buffer;
  readonly value: Buffer;
  readonly seq: string;
  readonly event_index: number;
}

interface Mark {
  readonly place: readonly [generation: number, seq: number, eventIndex: number];
  readonly live: number;
}

const LIVE_OFFSET = 6;
const COUNTER_MARK = '#'.charCodeAt(0);

/**
 * The wallets of these users, in the order asked. A coupon archived before the archive kept a wallet's figures leaves them to
 * be counted: claims by rows, live coupons as none.
 *
 * @param id whose fields count; coupons are one history for all generations
 */
export async function readArchivedWallets(
  sql: Sql,
  id: PartitionId,
  userIds: readonly string[],
): Promise<ArchivedWallet[]> {
  const [coupons, fields] = [await readCoupons(sql, userIds), await readFields(sql, id, userIds)];
  const couponsOf = Map.groupBy(coupons, (row) => row.user_id);
  const fieldsOf = Map.groupBy(fields, (row) => row.id);
  return userIds.map((userId) => {
    const own = couponsOf.get(userId) ?? [];
    return { fields: imageOf(own, fieldsOf.get(userId) ?? [], id.generation), coupons: own };
  });
}

function readCoupons(sql: Sql, userIds: readonly string[]) {
  return sql<ArchivedCoupon[]>`
    SELECT user_id, coupon_id, value, promotion_ref, state, hidden, retired, claims, live, generation, seq, event_index FROM coupon
    WHERE user_id = ANY(${textArray(userIds)}::text[])`;
}

function readFields(sql: Sql, { generation, partition }: PartitionId, userIds: readonly string[]) {
  return sql<FieldRow[]>`
    SELECT id, field, value, seq, event_index FROM ledger_field
    WHERE generation = ${generation} AND partition = ${partition} AND target = 'wallet' AND NOT retired
      AND id = ANY(${textArray(userIds)}::text[])`;
}

function imageOf(
  coupons: readonly ArchivedCoupon[],
  fields: readonly FieldRow[],
  generation: number,
): FieldImage {
  const image: FieldImage = new Map();
  for (const { coupon_id, value, retired } of coupons)
    if (!retired) image.set(coupon_id.subarray(-COUPON_FIELD_BYTES).toString('latin1'), value);
  for (const [ref, claims] of claimsByRef(coupons))
    image.set(claimCounterField(ref).toString('latin1'), Buffer.from(String(claims)));
  for (const { field, value } of fields) takeField(image, field, value);
  const mark = newestMark(coupons, fields, generation);
  if (mark !== undefined) image.set(SEQUENCE_FIELD.name, sequenceMark(mark.place[1], Math.max(0, mark.live)));
  return image;
}

/** A counter is told by coupons and by fields; it only grows, so the larger one is the later one. */
function takeField(image: FieldImage, field: Buffer, value: Buffer): void {
  const name = field.toString('latin1');
  const known = image.get(name);
  const isOlder = field[0] === COUNTER_MARK && known !== undefined && Number(known) > Number(value);
  if (!isOlder) image.set(name, value);
}

function claimsByRef(coupons: readonly ArchivedCoupon[]): Map<number, number> {
  const byRef = Map.groupBy(coupons, (row) => row.promotion_ref);
  return new Map(
    [...byRef].map(([ref, rows]) => {
      const told = rows.flatMap(({ claims }) => (claims === null ? [] : [Number(claims)]));
      return [ref, told.length === 0 ? rows.length : Math.max(...told)];
    }),
  );
}

/** What the wallet's last event left; undefined when there was none. */
function newestMark(
  coupons: readonly ArchivedCoupon[],
  fields: readonly FieldRow[],
  generation: number,
): Mark | undefined {
  const marks: Mark[] = [
    ...coupons.map((row) => ({ place: placeOf(row, row.generation), live: row.live ?? 0 })),
    ...fields.map((row) => ({
      place: placeOf(row, generation),
      live: row.field.equals(SEQUENCE_FIELD.bytes) ? row.value.readUInt16BE(LIVE_OFFSET) : -1,
    })),
  ];
  // A field that is not the mark tells when, and not how many: the mark of the same event stands beside it.
  return marks.reduce<Mark | undefined>(
    (newest, mark) => (newest === undefined || isLater(mark, newest) ? mark : newest),
    undefined,
  );
}

function placeOf(
  row: { readonly seq: string; readonly event_index: number },
  generation: number,
): Mark['place'] {
  return [generation, Number(row.seq), row.event_index];
}

function isLater(one: Mark, other: Mark): boolean {
  for (let index = 0; index < one.place.length; index += 1) {
    const difference = (one.place[index] ?? 0) - (other.place[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return one.live > other.live;
}
