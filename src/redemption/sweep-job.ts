/** Frees what reservations hold past their time, and settles codes that a crash left held. */
import type { Job, JobContext, JobCounts } from '../jobs/job.ts';
import { lapseOrder } from './let-go.ts';
import { SWEEP_BATCH, SWEEP_EVERY_MS, SWEEP_ORDER_MS, SWEEP_PARALLEL } from './limits.ts';
import { settleLeftCodes } from './order-codes.ts';
import type { LetGoPorts } from './redemption-ports.ts';

/** What the sweep needs. */
export interface SweepPorts extends LetGoPorts {
  /** Local epoch milliseconds. */
  readonly nowMs: () => number;
}

interface Counts {
  lapsed: number;
  settled: number;
  failed: number;
}

/** The sweep of reservations: every second, everything that is due by then. */
export function createSweepJob(ports: SweepPorts): Job {
  return {
    name: 'sweep-reservations',
    description: 'Frees what reservations hold past their time, and settles codes that were left held.',
    times: { kind: 'every', everyMs: SWEEP_EVERY_MS },
    isEnabled: true,
    run: (context) => sweep(ports, context),
  };
}

async function sweep(ports: SweepPorts, context: JobContext): Promise<JobCounts> {
  const counts: Counts = { lapsed: 0, settled: 0, failed: 0 };
  // A batch in which nothing lapsed would be met again at once; the next run tries it again.
  for (let lapsed = 1; lapsed > 0 && !context.signal.aborted; ) {
    lapsed = await sweepBatch(ports, counts, context);
    context.progress({ ...counts });
  }
  await settleCodesLeft(ports, counts, context);
  return { ...counts };
}

/** Lets a batch of orders lapse; how many did. */
async function sweepBatch(ports: SweepPorts, counts: Counts, { signal }: JobContext): Promise<number> {
  const before = counts.lapsed;
  const deadlineMs = ports.nowMs() + SWEEP_ORDER_MS;
  // The due time itself is the last instant of the reservation.
  const untilMs = ports.ledger.nowMs() - 1;
  const members = await ports.ledger.read(deadlineMs, (reads) => reads.dueOrders(untilMs, SWEEP_BATCH));
  await inGroups(members, signal, counts, async (member) => {
    const at = member.indexOf('/');
    const [userId, orderId] = [member.slice(0, at), member.slice(at + 1)];
    if (await lapseOrder(ports, userId, orderId, ports.nowMs() + SWEEP_ORDER_MS)) counts.lapsed += 1;
  });
  return members.length < SWEEP_BATCH ? 0 : counts.lapsed - before;
}

async function settleCodesLeft(ports: SweepPorts, counts: Counts, { signal }: JobContext): Promise<void> {
  const { codes, nowMs } = ports;
  if (codes === undefined || signal.aborted) return;
  const holders = await codes.unsettled(nowMs(), SWEEP_BATCH, nowMs() + SWEEP_ORDER_MS);
  await inGroups(holders, signal, counts, async ({ userId, orderId }) => {
    const became = await settleLeftCodes(ports, userId, orderId, nowMs() + SWEEP_ORDER_MS);
    if (became !== 'held') counts.settled += 1;
  });
}

/** Does something to all of them, some at a time; one that fails is counted and keeps no other back. */
async function inGroups<Item>(
  items: readonly Item[],
  signal: AbortSignal,
  counts: Counts,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length && !signal.aborted; start += SWEEP_PARALLEL) {
    const group = items.slice(start, start + SWEEP_PARALLEL);
    const ends = await Promise.allSettled(group.map((item) => work(item)));
    counts.failed += ends.filter(({ status }) => status === 'rejected').length;
  }
}
