/**
 * Brings the projections to what Redis holds, when Postgres was restored to a state older than the entries Redis has kept
 * (LEDGER rule 16): the entries between are in no log and cannot come back, but what they did is in Redis.
 *
 * The gate is shut. The missing entries are noted as a hole, the kept ones are archived, then everything Redis holds is written
 * into the log once more as it is, and the projections follow from that as from any entry. What the projections have and Redis
 * has not by then has left it in the hole. It may be cut off anywhere and done again.
 */
import { decodeEntry } from '../../ledger/event-format.ts';
import { BatchWriter } from '../batch-writer.ts';
import type { PartitionId } from '../ledger-port.ts';
import { REBUILD_PROGRESS_MS } from '../limits.ts';
import { archiveRest } from './archive-rest.ts';
import type { Source } from './archived-records.ts';
import { CarriedPartition } from './carried-partition.ts';
import { HeldPartitions } from './held-partitions.ts';
import { openHoles, settleHoles, skipHole } from './holes.ts';
import { type PartitionPlan, planPartitions } from './plan-redis.ts';
import { type RebuildPorts, RebuildRefused } from './rebuild-ports.ts';
import type { RebuildOrder, RebuildOutcome } from './rebuild-redis.ts';
import { retireStale } from './retire-stale.ts';

/** Rebuilds the projections of the partitions whose archive Redis is beyond. Throws {@link RebuildRefused}, or what a store throws. */
export async function rebuildPostgres(
  ports: RebuildPorts,
  order: RebuildOrder & { readonly isForced: boolean },
): Promise<RebuildOutcome> {
  const plans = await planPartitions(ports, order);
  const open = await openHoles(ports.sql, order.generation);
  const chosen = plans.filter((plan) => order.isForced || hasHole(plan) || open.has(plan.id.partition));
  for (const plan of plans) ports.say(describe(plan, chosen.includes(plan)));
  if (chosen.length === 0) return 'nothing to do';
  requireLive(chosen);
  if (!order.isConfirmed) return 'only looked';
  const held = await HeldPartitions.take(
    ports,
    chosen.map(({ id }) => id),
  );
  try {
    for (const { id } of chosen) await rebuildPartition(ports, order, held, id);
  } finally {
    await held.giveBack();
  }
  return 'rebuilt';
}

function hasHole({ look, cursorSeq }: PartitionPlan): boolean {
  return look.firstSeq !== undefined && look.firstSeq > cursorSeq + 1;
}

function describe(plan: PartitionPlan, isChosen: boolean): string {
  const { id, look, cursorSeq } = plan;
  const name = `partition ${id.partition}: the archive is at entry ${cursorSeq}`;
  if (look.lastSeq === undefined) return `${name}, Redis has none`;
  const kept = `Redis has ${look.firstSeq ?? 0} to ${look.lastSeq}`;
  if (!isChosen) return `${name}, ${kept}, nothing to rebuild`;
  if (!hasHole(plan)) return `${name}, ${kept}; the projections are to be written anew from Redis`;
  return `${name}, ${kept}: entries ${cursorSeq + 1} to ${(look.firstSeq ?? 0) - 1} are lost, the projections are to be written anew from Redis`;
}

function requireLive(plans: readonly PartitionPlan[]): void {
  for (const { id, look, cursorSeq } of plans) {
    if (look.generation !== undefined && look.generation !== id.generation)
      throw new RebuildRefused(
        `partition ${id.partition} in Redis is of generation ${look.generation}, not ${id.generation}`,
      );
    if ((look.lastSeq ?? -1) < cursorSeq)
      throw new RebuildRefused(
        `partition ${id.partition} in Redis is behind the archive: an archive process brings it up, or "hongbao rebuild redis"`,
      );
  }
}

async function rebuildPartition(
  ports: RebuildPorts,
  { partitions }: Source,
  held: HeldPartitions,
  id: PartitionId,
): Promise<void> {
  const target = ports.target(id.partition);
  const ledger = ports.ledger(id, partitions);
  const keeper = held.of(id.partition);
  await target.shut();
  const missing = await skipHole(ports.sql, keeper, ledger);
  if (missing !== undefined)
    ports.say(
      `partition ${id.partition}: entries ${missing.from} to ${missing.to}, ${missing.events} events, are noted as lost`,
    );
  const archived = await archiveRest(ports, keeper, ledger);
  ports.say(`partition ${id.partition}: ${archived} entries archived`);
  const { seq, eventsTotal } = await keeper.require();
  const after = { seq, eventsTotal };
  const timeMs = Math.max(ports.nowMs(), await timeOf(ledger.readEntry(seq)));
  const writer = new BatchWriter(ports.client, keeper, ports.nowMs, () => {});
  const carried = new CarriedPartition({ ledger, writer, timeMs, after });
  const carriedSeq = carried.seq;
  let records = 0;
  let nextMs = ports.nowMs() + REBUILD_PROGRESS_MS;
  for await (const page of target.records()) {
    held.require();
    for (const record of page) await carried.take(record);
    records += page.length;
    if (ports.nowMs() < nextMs) continue;
    nextMs = ports.nowMs() + REBUILD_PROGRESS_MS;
    ports.say(`partition ${id.partition}: ${records} records written anew`);
  }
  await carried.end();
  const stale = await retireStale(ports.sql, id, carriedSeq);
  await settleHoles(ports.sql, id, seq, carriedSeq);
  ports.say(
    `partition ${id.partition}: ${records} records written anew, ${stale.coupons} coupons and ${stale.fields} fields had left ` +
      'Redis; an archive process opens the partition',
  );
}

async function timeOf(reading: Promise<Buffer | undefined>): Promise<number> {
  const payload = await reading;
  return payload === undefined ? 0 : decodeEntry(payload).timeMs;
}
