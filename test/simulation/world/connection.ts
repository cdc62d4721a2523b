/**
 * A connection to the simulated Redis with the driver's own face: commands, pipelines and what it makes of replies are those of
 * ioredis; only what would go over the socket goes to the simulation instead. It behaves as the product's settings make it: nothing
 * is sent twice, nothing waits for a connection, each call has its time-out.
 */
import { type Command, Redis } from 'ioredis';
import type { LedgerConnectionSettings } from '../../../src/ledger/connection.ts';
import type { Reply } from '../redis/commands.ts';
import type { VirtualTime } from '../time/virtual-time.ts';
import type { CallFault, Link } from './link.ts';
import { NETWORK, type RedisSite } from './redis-site.ts';

/** What a connection of a process needs. */
export interface ConnectionPlace {
  readonly time: VirtualTime;
  readonly site: RedisSite;
  readonly link: Link;
  /** The process it belongs to. */
  readonly owner: string;
  /** The process is alive. */
  readonly isAlive: () => boolean;
}

const RECONNECT_MS = 20;
const RESP2 = { protocol: 2, replyMapping: 'legacy' } as const;

interface Sent {
  readonly command: Command;
  readonly runId: string;
  isSettled: boolean;
}

/** See the module's comment. */
export class SimulatedConnection extends Redis {
  private readonly place: ConnectionPlace;
  private readonly timeoutMs: number;
  private readonly pending = new Set<Sent>();
  private readonly forget: () => void;
  private lastArrivalMs = 0;
  private lastReplyMs = 0;
  /** Journal's length after the last command of this connection, for WAIT. */
  private offset = 0;
  /** A call stays behind on this connection: what follows it cannot overtake it, and nobody hears of either. */
  private isBehind = false;

  constructor(place: ConnectionPlace, settings: Pick<LedgerConnectionSettings, 'commandTimeoutMs'>) {
    super({ lazyConnect: true, protocol: 2 });
    this.place = place;
    this.timeoutMs = settings.commandTimeoutMs;
    this.status = 'connecting';
    this.forget = place.site.whenDown(() => this.break());
    this.reconnect(1);
  }

  override sendCommand(command: Command): unknown {
    command.setReplyContext(RESP2);
    if (this.status !== 'ready') {
      command.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false"));
      return command.promise;
    }
    const { time, link, site, owner } = this.place;
    const sent: Sent = { command, runId: site.redis.runId, isSettled: false };
    this.pending.add(sent);
    time.schedule(this.timeoutMs, () => this.fail(sent, 'Command timed out'), owner);
    this.transmit(sent, link.next());
    return command.promise;
  }

  override disconnect(): void {
    this.break();
    this.status = 'end';
    this.forget();
  }

  private transmit(sent: Sent, fault: CallFault | undefined): void {
    const { time, link, owner } = this.place;
    if (this.isBehind) return;
    switch (fault?.fate) {
      case 'crash-before':
        link.die();
        return;
      case 'drop-request':
        time.schedule(fault.forMs, () => this.break(), owner);
        return;
      case 'late':
        // It stays behind on a connection that is given up; what is sent afterwards goes over another one.
        this.isBehind = true;
        time.schedule(this.timeoutMs, () => this.break(), owner);
        this.arriveAfter(fault.forMs, sent, fault, false);
        return;
      case 'slow':
        this.arriveAfter(fault.forMs, sent, fault, true);
        return;
      case 'duplicate':
        this.arriveAfter(link.delayMs(), sent, fault, true);
        time.schedule(fault.forMs, () => this.executeAgain(sent), NETWORK);
        return;
      default:
        this.arriveAfter(link.delayMs(), sent, fault, true);
    }
  }

  /** Commands of one connection arrive in the order they were sent in. */
  private arriveAfter(delayMs: number, sent: Sent, fault: CallFault | undefined, isInOrder: boolean): void {
    const { time, site } = this.place;
    const atMs = Math.max(time.nowMs + delayMs, isInOrder ? this.lastArrivalMs : 0, site.frozenUntilMs);
    if (isInOrder) this.lastArrivalMs = atMs;
    time.schedule(atMs - time.nowMs, () => this.arrive(sent, fault), NETWORK);
  }

  private arrive(sent: Sent, fault: CallFault | undefined): void {
    const { site, time } = this.place;
    if (!this.reaches(sent)) return;
    if (time.nowMs < site.frozenUntilMs) {
      this.arriveAfter(0, sent, fault, true);
      return;
    }
    const { name, args } = sent.command;
    if (name.toLowerCase() === 'wait') {
      site.awaitReplicas(this.offset, Number(args[0]), Number(args[1]), (replicas) =>
        this.send(sent, fault, replicas, time.nowMs),
      );
      return;
    }
    const { reply, leavesAtMs } = site.execute(name, args);
    this.offset = site.length;
    this.send(sent, fault, reply, leavesAtMs);
  }

  private executeAgain(sent: Sent): void {
    const { name, args } = sent.command;
    if (this.reaches(sent) && name.toLowerCase() !== 'wait') this.place.site.execute(name, args);
  }

  /** The server process it was sent to still serves. */
  private reaches({ runId }: Sent): boolean {
    const { site } = this.place;
    return site.isUp && site.redis.runId === runId;
  }

  private send(sent: Sent, fault: CallFault | undefined, reply: Reply | Error, leavesAtMs: number): void {
    const { time, link, owner } = this.place;
    if (fault?.fate === 'crash-after') {
      link.die();
      return;
    }
    if (fault?.fate === 'late') return;
    if (fault?.fate === 'drop-reply') {
      time.schedule(fault.forMs, () => this.break(), owner);
      return;
    }
    const atMs = Math.max(leavesAtMs + link.delayMs(), this.lastReplyMs);
    this.lastReplyMs = atMs;
    time.schedule(atMs - time.nowMs, () => this.answer(sent, reply), owner);
  }

  private answer(sent: Sent, reply: Reply | Error): void {
    // A server that died meanwhile had not sent what it had not synced.
    if (!this.reaches(sent)) return;
    if (!this.settle(sent)) return;
    if (reply instanceof Error) sent.command.reject(reply);
    else sent.command.resolve(reply);
  }

  private fail(sent: Sent, message: string): void {
    if (this.settle(sent)) sent.command.reject(new Error(message));
  }

  private settle(sent: Sent): boolean {
    if (sent.isSettled || !this.place.isAlive()) return false;
    sent.isSettled = true;
    this.pending.delete(sent);
    return true;
  }

  private break(): void {
    if (this.status !== 'ready') return;
    this.status = 'reconnecting';
    for (const sent of this.pending) this.fail(sent, 'Connection is closed.');
    this.pending.clear();
    this.reconnect(RECONNECT_MS);
  }

  private reconnect(delayMs: number): void {
    const { time, site, owner } = this.place;
    time.schedule(
      delayMs,
      () => {
        if (this.status === 'end') return;
        if (!site.isUp || time.nowMs < site.frozenUntilMs) return this.reconnect(RECONNECT_MS);
        this.status = 'ready';
        this.lastArrivalMs = time.nowMs;
        this.lastReplyMs = time.nowMs;
        this.offset = 0;
        this.isBehind = false;
        this.emit('ready');
      },
      owner,
    );
  }
}
