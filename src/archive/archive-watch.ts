/**
 * Tells when the archive has something, to all who wait in this process: they share one look at the cursors and one at their
 * coupons per round, however many they are.
 *
 * That the cursor has passed an entry's number is not enough for a coupon: a Redis that lost its newest entries hands their
 * numbers out again. So a coupon counts as archived when its row is there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesArray } from '../database/array-literal.ts';
import { type Sql, withDeadline } from '../database/client.ts';
import type { ArchiveAnswer, ArchivedCoupons, AwaitedCoupon } from '../ledger/archived-coupons.ts';
import { WATCH_FAULT_PAUSE_MS, WATCH_PAUSE_MS, WATCH_STATEMENT_MS, WATCHED_COUPONS } from './limits.ts';

/** What the watch looks through. */
export interface ArchiveWatchPorts {
  readonly sql: Sql;
  /** The generation in force. */
  readonly generation: () => number;
  readonly nowMs: () => number;
}

interface Waiting {
  readonly coupon: AwaitedCoupon | undefined;
  readonly partition: number;
  readonly seq: number | undefined;
  readonly deadlineMs: number;
  readonly settle: (answer: ArchiveAnswer) => void;
}

/** One per process; see the module's comment. */
export class ArchiveWatch implements ArchivedCoupons {
  private readonly ports: ArchiveWatchPorts;
  private waiting = new Set<Waiting>();
  private cursors = new Map<number, number>();
  private isWatching = false;
  private isFailing = false;
  private sweepTimer: NodeJS.Timeout | undefined;

  constructor(ports: ArchiveWatchPorts) {
    this.ports = ports;
  }

  /** How many wait. */
  get size(): number {
    return this.waiting.size;
  }

  /** Resolves when the coupon's row is in the archive, or at the deadline (ms since the epoch). Never rejects. */
  coupon(coupon: AwaitedCoupon, deadlineMs: number): Promise<ArchiveAnswer> {
    const { partition, seq } = coupon;
    return this.wait({ coupon, partition, seq, deadlineMs });
  }

  /** Resolves when the archive has the entry, or at the deadline (ms since the epoch). Never rejects. */
  entry(partition: number, seq: number, deadlineMs: number): Promise<ArchiveAnswer> {
    return this.wait({ coupon: undefined, partition, seq, deadlineMs });
  }

  private wait(awaited: Omit<Waiting, 'settle'>): Promise<ArchiveAnswer> {
    const { promise, resolve } = Promise.withResolvers<ArchiveAnswer>();
    const waiting: Waiting = {
      ...awaited,
      settle: (answer) => {
        if (this.waiting.delete(waiting)) resolve(answer);
      },
    };
    this.waiting.add(waiting);
    this.sweepTimer ??= setInterval(() => this.sweep(), WATCH_PAUSE_MS);
    if (!this.isWatching) void this.watch();
    return promise;
  }

  /** Looks again and again while anybody waits. */
  private async watch(): Promise<void> {
    this.isWatching = true;
    while (this.waiting.size > 0) {
      try {
        await this.look();
        this.isFailing = false;
      } catch {
        this.isFailing = true;
      }
      if (this.waiting.size > 0) await sleep(this.isFailing ? WATCH_FAULT_PAUSE_MS : WATCH_PAUSE_MS);
    }
    this.isWatching = false;
    clearInterval(this.sweepTimer);
    this.sweepTimer = undefined;
  }

  private async look(): Promise<void> {
    // Whoever comes while the cursors are read is looked after in the next round.
    const asked = [...this.waiting];
    if (asked.some(({ seq }) => seq !== undefined)) await this.readCursors();
    const passed = asked.filter((waiting) => this.isPassed(waiting));
    for (const waiting of passed) if (waiting.coupon === undefined) waiting.settle('archived');
    const coupons = passed.filter(({ coupon }) => coupon !== undefined);
    for (let start = 0; start < coupons.length; start += WATCHED_COUPONS)
      await this.lookFor(coupons.slice(start, start + WATCHED_COUPONS));
  }

  private isPassed({ partition, seq }: Waiting): boolean {
    return seq === undefined || (this.cursors.get(partition) ?? -1) >= seq;
  }

  private async readCursors(): Promise<void> {
    const rows = this.ports.sql<{ partition: number; seq: string }[]>`
      SELECT partition, seq FROM ledger_cursor WHERE generation = ${this.ports.generation()}`;
    const cursors = await withDeadline(rows, this.ports.nowMs() + WATCH_STATEMENT_MS);
    this.cursors = new Map(cursors.map(({ partition, seq }) => [partition, Number(seq)]));
  }

  private async lookFor(asked: readonly Waiting[]): Promise<void> {
    const ids = asked.map(({ coupon }) => Buffer.from(coupon?.couponId ?? '', 'hex'));
    const rows = this.ports.sql<{ coupon_id: Buffer }[]>`
      SELECT coupon_id FROM coupon WHERE coupon_id = ANY(${bytesArray(ids)}::bytea[])`;
    const found = await withDeadline(rows, this.ports.nowMs() + WATCH_STATEMENT_MS);
    const archived = new Set(found.map(({ coupon_id }) => coupon_id.toString('hex')));
    for (const waiting of asked) {
      if (archived.has(waiting.coupon?.couponId ?? '')) waiting.settle('archived');
      else if (waiting.seq !== undefined) waiting.settle('lost');
    }
  }

  private sweep(): void {
    const nowMs = this.ports.nowMs();
    for (const waiting of this.waiting)
      if (waiting.deadlineMs < nowMs) waiting.settle(this.isFailing ? 'unavailable' : 'late');
  }
}
