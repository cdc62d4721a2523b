/** The whole fault matrix: every row is a fault a run injects, or says what proves it instead. */

import { processKilledBeforeAnswer } from './f01-process-killed-before-answer.ts';
import { replyLost } from './f02-reply-lost.ts';
import { connectionsReset } from './f03-connections-reset.ts';
import { halfOpen } from './f04-half-open.ts';
import { slowLink } from './f04-slow-link.ts';
import { redisKilled } from './f05-redis-killed.ts';
import { crashOnSlowDisk } from './f06-slow-disk.ts';
import { syncError } from './f07-sync-error.ts';
import { appendOnlyFileFull } from './f08-append-only-file-full.ts';
import { tornTail } from './f09-torn-tail.ts';
import { corruptMiddle } from './f10-corrupt-middle.ts';
import { redisBehindPostgres } from './f11-redis-behind.ts';
import { masterKilled } from './f12-master-killed.ts';
import { laggingReplica } from './f13-lagging-replica.ts';
import { minorityMaster } from './f14-minority-master.ts';
import { plannedFailover } from './f15-planned-failover.ts';
import { slotMoved } from './f15-slot-moved.ts';
import { scriptFlush } from './f16-script-flush.ts';
import { busyScript } from './f17-busy-script.ts';
import { memoryLimit } from './f18-memory-limit.ts';
import { archiverKilled } from './f19-archiver-killed.ts';
import { staleLease } from './f20-stale-lease.ts';
import { postgresKilled } from './f21-postgres-killed.ts';
import { backendsTerminated } from './f22-backends-terminated.ts';
import { postgresStalls } from './f23-postgres-stalls.ts';
import { postgresDiskFull } from './f24-postgres-disk-full.ts';
import { clockJump } from './f26-clock-jump.ts';
import { serviceStandsStill } from './f27-service-stands-still.ts';
import { rapidReset } from './f30-rapid-reset.ts';
import { orderlyRestart } from './f31-orderly-restart.ts';
import { rollingRestart } from './f33-rolling-restart.ts';
import { oldBackup } from './f34-old-backup.ts';
import type { Fault } from './fault.ts';

/** A row that no run of this command injects. */
export interface ProvenElsewhere {
  readonly id: string;
  readonly title: string;
  readonly expects: string;
  /** Where it is proven, from the root of the repository. */
  readonly by: string;
}

/** Every fault a run can inject. */
export const FAULTS: readonly Fault[] = [
  processKilledBeforeAnswer,
  replyLost,
  connectionsReset,
  halfOpen,
  slowLink,
  redisKilled,
  crashOnSlowDisk,
  syncError,
  appendOnlyFileFull,
  tornTail,
  corruptMiddle,
  redisBehindPostgres,
  masterKilled,
  laggingReplica,
  minorityMaster,
  plannedFailover,
  slotMoved,
  scriptFlush,
  busyScript,
  memoryLimit,
  archiverKilled,
  staleLease,
  postgresKilled,
  backendsTerminated,
  postgresStalls,
  postgresDiskFull,
  clockJump,
  serviceStandsStill,
  rapidReset,
  orderlyRestart,
  rollingRestart,
  oldBackup,
];

/** Every other row. */
export const PROVEN_ELSEWHERE: readonly ProvenElsewhere[] = [
  {
    id: 'F25',
    title: 'Poison event',
    expects: 'Logged, set aside with an alarm, tried again; the rest flows.',
    by: 'src/archive/flush.test.ts',
  },
  {
    id: 'F28',
    title: 'Worker out of memory, endless loop, regular expression that never ends',
    expects: 'Only that request fails; the thread is replaced; the queue is bounded.',
    by: 'test/integration/evaluation-pool.test.ts',
  },
  {
    id: 'F29',
    title: 'Retry storm at three times the capacity',
    expects: 'What cannot be done in time is shed early; goodput stays above 80 % of the peak.',
    by: 'src/transport/admission.test.ts, bench/overload.ts',
  },
  {
    id: 'F32',
    title: 'Duplicate, reordered and late requests of clients',
    expects: 'The stored answer, or a refusal, without another effect.',
    by: 'test/chaos/load/load.test.ts, test/chaos/history/check-history.test.ts',
  },
  {
    id: 'F35',
    title: 'Postgres restored to a point older than Redis has trimmed to',
    expects:
      'The archive stops with an alarm; Postgres is projected anew from Redis and the hole is recorded.',
    by: 'src/archive/rebuild/rebuild.test.ts',
  },
];

/** Number of rows in the matrix. */
export const ROWS = 35;
