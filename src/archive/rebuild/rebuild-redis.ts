/**
 * Rebuilds partitions of Redis from the projections at the cursor, as the same generation: the next entry continues the
 * archive's last one (LEDGER rule 17). What Redis had beyond the cursor is not in Postgres and cannot come back.
 *
 * It may be cut off anywhere: a partition counts as rebuilt once its stream holds the archive's last entry, which is written
 * last; until then it is closed, and the next run begins it anew.
 */
import { decodeEntry } from '../../ledger/event-format.ts';
import { partitionOf } from '../../ledger/keys.ts';
import type { RebuildTarget } from '../../ledger/rebuild-target.ts';
import { REBUILD_PROGRESS_MS } from '../limits.ts';
import {
  archivedOthers,
  archivedPromotions,
  archivedWallets,
  dueRecord,
  type Source,
} from './archived-records.ts';
import { HeldPartitions } from './held-partitions.ts';
import { countArchived, type PartitionPlan, planPartitions, requireNoQuarantine } from './plan-redis.ts';
import { type RebuildPorts, RebuildRefused } from './rebuild-ports.ts';
import { RecordSink } from './record-sink.ts';

/** What became of it. */
export type RebuildOutcome = 'rebuilt' | 'nothing to do' | 'only looked';

/** How a rebuild is asked for. */
export interface RebuildOrder extends Source {
  /** False: only say what would be done. */
  readonly isConfirmed: boolean;
}

/** Rebuilds the partitions that Redis lost. Throws {@link RebuildRefused}, or what a store throws. */
export async function rebuildRedis(ports: RebuildPorts, order: RebuildOrder): Promise<RebuildOutcome> {
  const looked = await planPartitions(ports, order);
  for (const plan of looked) await describe(ports, plan);
  const isNeeded = looked.some(needsRebuild);
  if (!isNeeded) return 'nothing to do';
  requireClosed(looked);
  await requireNoQuarantine(ports.sql, order.generation);
  if (!order.isConfirmed) return 'only looked';
  const ids = looked.filter(needsRebuild).map(({ id }) => id);
  const held = await HeldPartitions.take(ports, ids);
  try {
    // Nobody moves the cursors from here on, so what is read of the projections now is one state.
    const plans = (await planPartitions(ports, order)).filter(needsRebuild);
    requireClosed(plans);
    await fill(ports, order, plans, held);
  } finally {
    await held.giveBack();
  }
  return 'rebuilt';
}

function needsRebuild({ state }: PartitionPlan): boolean {
  return state === 'lost' || state === 'other';
}

function requireClosed(plans: readonly PartitionPlan[]): void {
  const open = plans.find((plan) => needsRebuild(plan) && plan.look.isOpen);
  if (open === undefined) return;
  throw new RebuildRefused(
    `partition ${open.id.partition} is open, so claims may still be written to it: stop the serving and archive processes ` +
      'and restart Redis, which closes it',
  );
}

async function describe({ sql, say }: RebuildPorts, plan: PartitionPlan): Promise<void> {
  const { id, state, look, cursorSeq } = plan;
  const name = `partition ${id.partition} of generation ${id.generation}`;
  switch (state) {
    case 'new':
      say(`${name}: nothing is archived, nothing to rebuild`);
      return;
    case 'whole':
      say(`${name}: Redis has entry ${cursorSeq}, the archive's last one, nothing to rebuild`);
      return;
    case 'lost':
    case 'other': {
      const { coupons, fields } = await countArchived(sql, id);
      const found =
        state === 'lost'
          ? 'Redis has nothing'
          : `Redis has another history (entries ${look.firstSeq ?? 'none'} to ${look.lastSeq ?? 'none'}), which goes`;
      say(
        `${name}: ${found}; to be rebuilt at entry ${cursorSeq}: ${coupons} coupons, ${fields} other fields`,
      );
    }
  }
}

async function fill(
  ports: RebuildPorts,
  source: Source,
  plans: readonly PartitionPlan[],
  held: HeldPartitions,
): Promise<void> {
  const targets = new Map(plans.map(({ id }) => [id.partition, ports.target(id.partition)]));
  for (const [partition, target] of targets) await emptyTarget(ports, partition, target);
  const sink = new RecordSink(targets);
  const progress = new Progress(ports, sink);
  for (const { id } of plans) {
    for (const record of await archivedPromotions(ports.sql, id)) await sink.take(id.partition, record);
    for await (const records of archivedOthers(ports.sql, id)) {
      held.require();
      for (const record of [...records, dueRecord(records)]) await sink.take(id.partition, record);
      progress.note();
    }
  }
  for await (const wallets of archivedWallets(ports.sql, source)) {
    held.require();
    for (const { userId, fields } of wallets)
      await sink.take(partitionOf(userId, source.partitions), { target: 'wallet', id: userId, fields });
    progress.note();
  }
  await sink.end();
  progress.end();
  held.require();
  for (const plan of plans) await finish(ports, source, plan, targets.get(plan.id.partition));
}

async function emptyTarget(ports: RebuildPorts, partition: number, target: RebuildTarget): Promise<void> {
  const removed = await target.empty(() => {});
  if (removed > 0) ports.say(`partition ${partition}: removed ${removed} keys`);
}

async function finish(
  ports: RebuildPorts,
  { partitions }: Source,
  { id, cursorSeq: seq, payload, eventsTotal }: PartitionPlan,
  target: RebuildTarget | undefined,
): Promise<void> {
  // A partition whose cursor is before its first entry has nothing to continue: it is opened as a new one.
  if (payload === undefined || target === undefined) return;
  const timeMs = timeOf(payload);
  await target.finish({ generation: id.generation, partitions, seq, payload, timeMs, eventsTotal });
  ports.say(`partition ${id.partition}: rebuilt at entry ${seq}; an archive process opens it`);
}

/** The clock goes on after the entry; one that cannot be read waits in quarantine, and the server's own clock will do. */
function timeOf(payload: Buffer): number {
  try {
    return decodeEntry(payload).timeMs;
  } catch {
    return 0;
  }
}

/** Says now and then how much was written. */
class Progress {
  private readonly ports: RebuildPorts;
  private readonly sink: RecordSink;
  private nextMs: number;

  constructor(ports: RebuildPorts, sink: RecordSink) {
    this.ports = ports;
    this.sink = sink;
    this.nextMs = ports.nowMs() + REBUILD_PROGRESS_MS;
  }

  note(): void {
    if (this.ports.nowMs() < this.nextMs) return;
    this.nextMs = this.ports.nowMs() + REBUILD_PROGRESS_MS;
    this.end();
  }

  end(): void {
    const { records, fields } = this.sink.taken;
    this.ports.say(`written: ${records} records, ${fields} fields`);
  }
}
