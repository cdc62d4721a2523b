/**
 * Where Redis runs: the server that serves now, the disk it syncs to and the replica that follows it, on virtual time. A restart
 * finds what was synced, a promoted replica what it had received, a restored backup less than either.
 */
import { bytesOf, ScriptError } from '../redis/bytes.ts';
import type { Reply } from '../redis/commands.ts';
import type { Change, Entry } from '../redis/keyspace.ts';
import type { ScriptFault } from '../redis/script-context.ts';
import { type AppendFsync, SimulatedRedis } from '../redis/simulated-redis.ts';
import type { Random } from '../time/random.ts';
import type { VirtualTime } from '../time/virtual-time.ts';

/** Why entries are no longer in Redis. */
export type LossCause = 'restart' | 'promotion' | 'backup';

/** Who wants to know what becomes of the server. */
export interface SiteListener {
  /** A call wrote something. */
  changed(change: Change): void;
  /** Entries are gone, oldest first; everything at or after `length` of the journal. */
  lost(entries: readonly Entry[], length: number, cause: LossCause): void;
}

/** Answers of the server that come later. */
interface ReplicaWaiter {
  readonly offset: number;
  readonly count: number;
  readonly answer: (replicas: number) => void;
  isDone: boolean;
}

/** Time between two syncs of `everysec`, in milliseconds: shorter than in life, as schedules are. */
const SYNC_EVERY_MS = 120;
/** Owner of what happens in Redis and on the way there. */
export const NETWORK = 'network';

/** See the module's comment. */
export class RedisSite {
  readonly redis: SimulatedRedis;
  isUp = true;
  /** Nothing is carried out before then. */
  frozenUntilMs = 0;
  /** The server's clock minus the true one, ms. */
  skewMs = 0;
  private readonly time: VirtualTime;
  private readonly random: Random;
  private readonly listener: SiteListener;
  private readonly onDown = new Set<() => void>();
  private readonly waiters = new Set<ReplicaWaiter>();
  private syncedLength = 0;
  private syncDoneAtMs = 0;
  private replicaLength = 0;
  private replicaFrozenUntilMs = 0;
  private readonly hasReplica: boolean;
  private starts = 0;

  constructor(
    time: VirtualTime,
    random: Random,
    options: {
      readonly appendFsync: AppendFsync;
      readonly hasReplica: boolean;
      readonly faults: ReadonlySet<ScriptFault>;
    },
    listener: SiteListener,
  ) {
    this.time = time;
    this.random = random;
    this.listener = listener;
    this.hasReplica = options.hasReplica;
    this.redis = new SimulatedRedis({
      appendFsync: options.appendFsync,
      faults: options.faults,
      nextRunId: () => (this.starts++).toString(16).padStart(40, 'a'),
      nowMs: () => time.nowMs + this.skewMs,
      onChange: (change) => this.onChange(change),
    });
    if (options.appendFsync === 'everysec') this.syncNowAndThen();
  }

  /** Length of the journal: what a call that has just run has left behind it. */
  get length(): number {
    return this.redis.keyspace.length;
  }

  /** Hears when the server goes away. */
  whenDown(callback: () => void): () => void {
    this.onDown.add(callback);
    return () => this.onDown.delete(callback);
  }

  /** Carries a command out; answers with its reply or the error, and the moment at which it may leave. */
  execute(name: string, args: readonly unknown[]): { reply: Reply | Error; leavesAtMs: number } {
    let reply: Reply | Error;
    try {
      reply = this.redis.execute(name, args.map(bytesOf));
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error;
      reply = new Error(error.message);
    }
    return { reply, leavesAtMs: Math.max(this.time.nowMs, this.syncDoneAtMs) };
  }

  /** WAIT: answers with the replicas that have everything up to `offset`, when they do or time is up. */
  awaitReplicas(offset: number, count: number, timeoutMs: number, answer: (replicas: number) => void): void {
    if (this.replicasAt(offset) >= count) {
      answer(this.replicasAt(offset));
      return;
    }
    const waiter: ReplicaWaiter = { offset, count, answer, isDone: false };
    this.waiters.add(waiter);
    this.time.schedule(timeoutMs, () => this.settle(waiter), NETWORK);
  }

  /** The replica receives nothing for so long. */
  freezeReplica(forMs: number): void {
    this.replicaFrozenUntilMs = Math.max(this.replicaFrozenUntilMs, this.time.nowMs + forMs);
    this.time.schedule(forMs, () => this.replicate(this.length), NETWORK);
  }

  /** The server dies and comes back with what was synced, and a part of what was not. */
  restart(downMs: number, keptShare: number): void {
    if (!this.isUp) return;
    const kept = this.syncedLength + Math.floor(keptShare * (this.length - this.syncedLength));
    this.goDown(downMs, () => this.startWith(Math.min(kept, this.length), 'restart'));
  }

  /** The server dies for good, and its replica takes over with what it has received. */
  promote(downMs: number): void {
    if (!this.isUp || !this.hasReplica) return;
    this.goDown(downMs, () => this.startWith(this.replicaLength, 'promotion'));
  }

  /** The server is put back to an earlier state. */
  restoreBackup(downMs: number, share: number): void {
    if (!this.isUp) return;
    this.goDown(downMs, () => this.startWith(Math.floor(share * this.length), 'backup'));
  }

  private goDown(downMs: number, start: () => void): void {
    this.isUp = false;
    this.waiters.clear();
    for (const callback of [...this.onDown]) callback();
    this.time.schedule(
      downMs,
      () => {
        start();
        this.isUp = true;
      },
      NETWORK,
    );
  }

  private startWith(length: number, cause: LossCause): void {
    const lost = this.redis.restart(length).flatMap(({ entry }) => entry ?? []);
    this.syncedLength = length;
    this.replicaLength = length;
    this.syncDoneAtMs = 0;
    this.frozenUntilMs = 0;
    this.listener.lost(lost, length, cause);
  }

  private onChange(change: Change): void {
    const { length } = this;
    const { time, random } = this;
    if (this.redis.appendFsync === 'always') {
      const { runId } = this.redis;
      this.syncDoneAtMs = Math.max(this.syncDoneAtMs, time.nowMs + 0.1 + random.next() * 0.4);
      time.schedule(this.syncDoneAtMs - time.nowMs, () => this.synced(runId, length), NETWORK);
    }
    if (this.hasReplica) time.schedule(0.1 + random.next(), () => this.replicate(length), NETWORK);
    this.listener.changed(change);
  }

  private synced(runId: string, length: number): void {
    if (this.isUp && runId === this.redis.runId) this.syncedLength = Math.max(this.syncedLength, length);
  }

  private replicate(length: number): void {
    if (!this.isUp || this.time.nowMs < this.replicaFrozenUntilMs) return;
    this.replicaLength = Math.max(this.replicaLength, Math.min(length, this.length));
    for (const waiter of this.waiters)
      if (this.replicasAt(waiter.offset) >= waiter.count) this.settle(waiter);
  }

  private replicasAt(offset: number): number {
    return this.hasReplica && this.replicaLength >= offset ? 1 : 0;
  }

  private settle(waiter: ReplicaWaiter): void {
    if (waiter.isDone || !this.waiters.delete(waiter)) return;
    waiter.isDone = true;
    waiter.answer(this.replicasAt(waiter.offset));
  }

  private syncNowAndThen(): void {
    this.time.schedule(
      SYNC_EVERY_MS,
      () => {
        if (this.isUp) this.syncedLength = this.length;
        this.syncNowAndThen();
      },
      NETWORK,
    );
  }
}
