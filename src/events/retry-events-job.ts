/** The job that drives what is not settled: events cut off by a crash, those a store refused, and those that waited. */
import type { Job, JobContext } from '../jobs/job.ts';
import { driveEvent, leaseUntil } from './drive-event.ts';
import type { EventPorts } from './event-ports.ts';
import { countUnsettled, type InboxEvent, takeDueEvents } from './inbox.ts';
import * as limits from './limits.ts';

type Counts = Record<'applied' | 'ignored' | 'waiting' | 'failed', number>;

/** Makes the job. */
export function createRetryEventsJob(ports: EventPorts): Job {
  return {
    name: 'retry-events',
    description: 'Carries out events of the shop that could not be carried out at once.',
    times: { kind: 'every', everyMs: limits.RETRY_EVERY_MS },
    isEnabled: true,
    run: (context) => retryEvents(ports, context),
  };
}

async function retryEvents(ports: EventPorts, { signal, progress }: JobContext): Promise<Counts> {
  const counts: Counts = { applied: 0, ignored: 0, waiting: 0, failed: 0 };
  for (let batch = 0; batch < limits.BATCHES_PER_RUN && !signal.aborted; batch += 1) {
    const lease = leaseUntil(ports, ports.nowMs() + limits.ATTEMPT_MS);
    const events = await takeDueEvents(ports.sql, limits.EVENTS_PER_BATCH, lease);
    if (events.length === 0) break;
    await driveAll(ports, events, counts, signal);
    progress(counts);
  }
  ports.metrics.eventsUnsettled.value = await countUnsettled(ports.sql, ports.nowMs() + limits.ATTEMPT_MS);
  return counts;
}

/** Drives a batch, some at a time; one that is not begun when the run ends is taken again when its lease is over. */
async function driveAll(
  ports: EventPorts,
  events: readonly InboxEvent[],
  counts: Counts,
  signal: AbortSignal,
): Promise<void> {
  const waiting = events.values();
  const drive = async (): Promise<void> => {
    for (const event of waiting) {
      if (signal.aborted) return;
      const { state } = await driveEvent(ports, event, ports.nowMs() + limits.ATTEMPT_MS);
      counts[state] += 1;
    }
  };
  await Promise.all(Array.from({ length: limits.EVENTS_AT_A_TIME }, drive));
}
