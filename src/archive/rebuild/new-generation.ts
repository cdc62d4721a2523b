/**
 * Makes the next generation of the ledger: another number of partitions, or a history that no older server can continue
 * (LEDGER rules 8 and 17). The one before is closed by an event in each of its partitions and archived to its end first; from
 * then on Postgres has everything, and the partitions in Redis are made anew from it.
 *
 * It may be cut off anywhere. Until the old generation is closed nothing has changed; after that no generation is in force, no
 * process serves, and the next run begins another one from the same projections.
 */
import { BatchWriter } from '../batch-writer.ts';
import { REBUILD_PROGRESS_MS } from '../limits.ts';
import { ensureSegments } from '../segments.ts';
import { archiveRest } from './archive-rest.ts';
import type { Source } from './archived-records.ts';
import { CarriedPartition } from './carried-partition.ts';
import { carryOver } from './carry-over.ts';
import { beginGeneration, finishGeneration, readSuccession, type Succession } from './generations.ts';
import { HeldPartitions } from './held-partitions.ts';
import { countArchived, type PartitionPlan, planPartitions, requireNoQuarantine } from './plan-redis.ts';
import { type RebuildPorts, RebuildRefused } from './rebuild-ports.ts';

/** How a new generation is asked for. */
export interface GenerationOrder {
  readonly partitions: number;
  /** False: only say what would be done. */
  readonly isConfirmed: boolean;
}

/** Makes it; answers with its number, or undefined when it only looked. Throws {@link RebuildRefused}, or what a store throws. */
export async function makeGeneration(
  ports: RebuildPorts,
  order: GenerationOrder,
): Promise<number | undefined> {
  const succession = await readSuccession(ports.sql);
  const plans = succession.isResumed ? [] : await planPartitions(ports, succession.source);
  await describe(ports, succession, order, plans);
  requireUsable(plans);
  await requireNobody(ports);
  if (!order.isConfirmed) return undefined;
  if (!succession.isResumed) await closeSource(ports, succession, plans);
  await requireNoQuarantine(ports.sql, succession.source.generation);
  const { sql, say } = ports;
  const { source, next: generation, mostPartitions } = succession;
  const reason = `rebuilt from generation ${source.generation} with ${source.partitions} partitions`;
  await beginGeneration(sql, succession, order.partitions, reason);
  say(`generation ${source.generation} is closed, generation ${generation} is being built`);
  const most = Math.max(mostPartitions, order.partitions);
  for (let partition = 0; partition < most; partition += 1) {
    const removed = await ports.target(partition).empty(() => {});
    if (removed > 0) say(`partition ${partition}: removed ${removed} keys`);
  }
  await build(ports, source, { generation, partitions: order.partitions });
  for (let partition = 0; partition < most; partition += 1) await ports.target(partition).release();
  await finishGeneration(sql, generation);
  say(`generation ${generation} with ${order.partitions} partitions is in force: start all processes anew`);
  return generation;
}

async function describe(
  { sql, say }: RebuildPorts,
  { source, isResumed, next }: Succession,
  { partitions }: GenerationOrder,
  plans: readonly PartitionPlan[],
): Promise<void> {
  const state = isResumed ? 'closed by a rebuild that was cut off' : 'in force';
  say(`generation ${source.generation} with ${source.partitions} partitions is ${state}`);
  for (let partition = 0; partition < source.partitions; partition += 1) {
    const { coupons, fields } = await countArchived(sql, { generation: source.generation, partition });
    const plan = plans[partition];
    const waiting = plan?.state === 'whole' ? (plan.look.lastSeq ?? -1) - plan.cursorSeq : 0;
    say(
      `partition ${partition}: ${coupons} coupons, ${fields} other fields, ${waiting} entries to be archived first`,
    );
  }
  say(`to be made: generation ${next} with ${partitions} partitions`);
}

function requireUsable(plans: readonly PartitionPlan[]): void {
  const other = plans.find(({ state }) => state === 'other');
  if (other === undefined) return;
  throw new RebuildRefused(
    `partition ${other.id.partition} in Redis has another history than the archive: settle that first, with ` +
      '"hongbao rebuild redis" when Postgres is right, "hongbao rebuild postgres" when Redis is',
  );
}

async function requireNobody(ports: RebuildPorts): Promise<void> {
  const names = await ports.connected();
  if (names.length === 0) return;
  throw new RebuildRefused(
    `processes are connected to Redis (${names.join(', ')}): stop all serving and archive processes and try again`,
  );
}

/** Ends the histories of the partitions that Redis has, and archives them to their ends. */
async function closeSource(
  ports: RebuildPorts,
  { source }: Succession,
  plans: readonly PartitionPlan[],
): Promise<void> {
  const held = await HeldPartitions.take(
    ports,
    plans.map(({ id }) => id),
  );
  try {
    for (const { id, state } of plans) {
      if (state !== 'whole' || (await ports.target(id.partition).look()).generation === undefined) continue;
      await ports.target(id.partition).close(source.generation);
      const archived = await archiveRest(ports, held.of(id.partition), ports.ledger(id, source.partitions));
      ports.say(`partition ${id.partition}: closed, ${archived} entries archived`);
      held.require();
    }
  } finally {
    await held.giveBack();
  }
}

async function build(ports: RebuildPorts, source: Source, next: Source): Promise<void> {
  const ids = Array.from({ length: next.partitions }, (_, partition) => ({
    generation: next.generation,
    partition,
  }));
  const held = await HeldPartitions.take(ports, ids);
  try {
    for (const id of ids)
      await ensureSegments((statement) => ports.client.run(statement), id, 0, ports.nowMs());
    const timeMs = Math.max(ports.nowMs(), await lastTime(ports, source.generation));
    const carried = ids.map(
      (id) =>
        new CarriedPartition({
          ledger: ports.ledger(id, next.partitions),
          writer: new BatchWriter(ports.client, held.of(id.partition), ports.nowMs, () => {}),
          timeMs,
        }),
    );
    const progress = progressOf(ports);
    await carryOver({ ports, source, next, carried, require: () => held.require(), onRecord: progress.note });
    progress.end();
  } finally {
    await held.giveBack();
  }
}

/** Time of the newest entry of a generation, ms. */
async function lastTime({ sql }: RebuildPorts, generation: number): Promise<number> {
  const [row] = await sql<{ ms: string | null }[]>`
    SELECT (extract(epoch FROM max(entry_time)) * 1000)::bigint::text AS ms FROM event_log
    WHERE (generation, partition, seq) IN (SELECT generation, partition, seq FROM ledger_cursor WHERE generation = ${generation})`;
  return Number(row?.ms ?? 0);
}

function progressOf({ say, nowMs }: RebuildPorts): { note: () => void; end: () => void } {
  let records = 0;
  let nextMs = nowMs() + REBUILD_PROGRESS_MS;
  const end = (): void => say(`carried over: ${records} records`);
  const note = (): void => {
    records += 1;
    if (nowMs() < nextMs) return;
    nextMs = nowMs() + REBUILD_PROGRESS_MS;
    end();
  };
  return { note, end };
}
