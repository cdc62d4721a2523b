/** Carries everything the projections hold from one generation into the partitions of the next. */
import { decodeRedemption } from '../../domain/redemption.ts';
import { partitionOf } from '../../ledger/keys.ts';
import type { RebuiltRecord } from '../../ledger/rebuild-target.ts';
import { ORDER_FIELDS, USAGE_FIELDS } from '../../ledger/record-fields.ts';
import { usesOf } from '../audit/order-uses.ts';
import {
  archivedOthers,
  archivedPromotions,
  archivedWallets,
  dueRecord,
  type Source,
  type UserWallet,
} from './archived-records.ts';
import type { CarriedPartition } from './carried-partition.ts';
import type { RebuildPorts } from './rebuild-ports.ts';
import { dividePromotion, divideUsage, EVER_ISSUED, REVOKED, Tally, usesCounted } from './redistribute.ts';
import { copyRetired } from './retired-fields.ts';

const CLAIM_COUNTER = /^#[\s\S]{4}$/;

/** Where records go to, and what is told meanwhile. */
export interface CarryOver {
  readonly ports: RebuildPorts;
  readonly source: Source;
  readonly next: Source;
  readonly carried: readonly CarriedPartition[];
  /** Throws when the partitions are not this process's any more. */
  readonly require: () => void;
  /** Hears of every record. */
  readonly onRecord: () => void;
}

/** Carries everything over; each record is in exactly one partition afterwards, definitions are in all. */
export async function carryOver(carry: CarryOver): Promise<void> {
  const tally = new Tally(carry.next.partitions);
  await carryWallets(carry, tally);
  const others = await carryUserRecords(carry, tally);
  await copyRetired(carry.ports.sql, carry.source, carry.next, (id, head) => {
    if (head !== undefined) countUses(tally, carry.next.partitions, id, head);
  });
  if (carry.source.partitions === carry.next.partitions) await carryAlike(carry, others);
  else await carryDivided(carry, others, tally);
  for (const partition of carry.carried) await partition.end();
}

/** Records about promotions and the index, by the partition they were in. */
type OtherRecords = ReadonlyMap<number, readonly RebuiltRecord[]>;

async function carryWallets(carry: CarryOver, tally: Tally): Promise<void> {
  const { partitions } = carry.next;
  for await (const wallets of archivedWallets(carry.ports.sql, carry.source)) {
    carry.require();
    for (const wallet of wallets) {
      const { userId, fields } = wallet;
      const partition = partitionOf(userId, partitions);
      countCoupons(tally, partition, wallet);
      await put(carry, partition, { target: 'wallet', id: userId, fields });
    }
  }
}

async function carryUserRecords(carry: CarryOver, tally: Tally): Promise<OtherRecords> {
  const { ports, source, next } = carry;
  const others = new Map<number, RebuiltRecord[]>();
  for (let from = 0; from < source.partitions; from += 1) {
    const kept: RebuiltRecord[] = await archivedPromotions(ports.sql, {
      generation: source.generation,
      partition: from,
    });
    others.set(from, kept);
    for await (const records of archivedOthers(ports.sql, {
      generation: source.generation,
      partition: from,
    })) {
      carry.require();
      const users = records.filter(({ target }) => target === 'order' || target === 'account');
      kept.push(...records.filter((record) => !users.includes(record)));
      const placed = Map.groupBy(users, ({ id }) => partitionOf(userIn(id), next.partitions));
      for (const [partition, own] of placed) {
        for (const record of [...own, dueRecord(own)]) await put(carry, partition, record);
      }
      for (const { target, id, fields } of users) {
        const head = target === 'order' ? fields.get(ORDER_FIELDS.head.name) : undefined;
        if (head !== undefined) countUses(tally, next.partitions, id, head);
      }
    }
  }
  return others;
}

/** The same number of partitions: everything stays where it was. */
async function carryAlike(carry: CarryOver, others: OtherRecords): Promise<void> {
  for (const [partition, records] of others)
    for (const record of records) await put(carry, partition, record);
}

async function carryDivided(carry: CarryOver, others: OtherRecords, tally: Tally): Promise<void> {
  const { partitions } = carry.next;
  const all = [...others.values()].flat();
  const byClass = Map.groupBy(all, ({ target }) => target);
  const index = new Map((byClass.get('index') ?? []).flatMap(({ fields }) => [...fields]));
  for (let partition = 0; partition < partitions; partition += 1)
    await put(carry, partition, { target: 'index', id: '', fields: index });
  const pools = new Map((byClass.get('pool') ?? []).map((pool) => [pool.id, pool]));
  for (const [ref, olds] of merged(byClass.get('promotion'))) {
    for (const { partition, record } of dividePromotion(ref, olds, pools.get(ref), tally, partitions))
      await put(carry, partition, record);
  }
  for (const [ref, olds] of merged(byClass.get('usage'))) {
    for (const { partition, record } of divideUsage(ref, olds, tally, partitions))
      await put(carry, partition, record);
  }
}

function merged(records: readonly RebuiltRecord[] | undefined): Map<string, RebuiltRecord[]> {
  return Map.groupBy(records ?? [], ({ id }) => id);
}

async function put(carry: CarryOver, partition: number, record: RebuiltRecord): Promise<void> {
  if (record.fields.size === 0) return;
  await carry.carried[partition]?.take(record);
  carry.onRecord();
}

function countCoupons(tally: Tally, partition: number, { fields, coupons }: UserWallet): void {
  for (const [name, value] of fields) {
    if (!CLAIM_COUNTER.test(name)) continue;
    const ref = Buffer.from(name, 'latin1').readUInt32BE(1);
    tally.add(EVER_ISSUED, String(ref), partition, Number(value));
  }
  for (const { state, promotion_ref } of coupons)
    if (state === 'revoked') tally.add(REVOKED, String(promotion_ref), partition, 1);
}

function countUses(tally: Tally, partitions: number, orderRecord: string, head: Buffer): void {
  const partition = partitionOf(userIn(orderRecord), partitions);
  for (const { ref, discountMinor, periods } of usesOf(decodeRedemption(head))) {
    tally.add(usesCounted(USAGE_FIELDS.uses.name), String(ref), partition, 1);
    tally.add(usesCounted(USAGE_FIELDS.money.name), String(ref), partition, discountMinor);
    for (const period of periods) tally.add(usesCounted(period), String(ref), partition, 1);
  }
}

function userIn(id: string): string {
  return id.split('/')[0] ?? '';
}
