/**
 * Gets units of promotions for partitions. Who asks for the same at the same time shares one run, and an end that was found a
 * moment ago need not be found again: that hint is never older than `hintMs`, is about one version of the definition (or one
 * limit), and is only asked by who has just heard from the partition that it has nothing left.
 */

import type { CoordinatorPorts } from './lease-ports.ts';
import { type LeaseOutcome, LeaseRun } from './lease-run.ts';
import type { LeaseShape } from './lease-shape.ts';
import { RUN_MS, SOLD_OUT_HINTS } from './limits.ts';
import type { LeaseAsk } from './plan-lease.ts';
import { stockLease } from './stock-lease.ts';
import { type UsageCounter, usageLease } from './usage-lease.ts';

/** Coupons that are wanted in a partition. */
export interface StockAsk {
  readonly promotionRef: number;
  readonly partition: number;
  /** The definition by which nothing is left there. */
  readonly version: number;
  /** How many claims wait. */
  readonly wanted: number;
}

/** Uses, or money of a budget, that are wanted in a partition. */
export interface UsesAsk {
  readonly counter: UsageCounter;
  readonly partition: number;
  readonly units: number;
}

type Exhausted = Extract<LeaseOutcome, { kind: 'exhausted' }>;

interface Hint {
  readonly outcome: Exhausted;
  readonly need: number;
}

/** See the module's comment; one per process. */
export class LeaseCoordinator {
  private readonly ports: CoordinatorPorts;
  private readonly running = new Map<string, Promise<LeaseOutcome>>();
  private readonly hints = new Map<string, Hint>();

  constructor(ports: CoordinatorPorts) {
    this.ports = ports;
  }

  /** Gets coupons of a promotion for a partition. Never rejects. */
  async obtainStock({ promotionRef, partition, version, wanted }: StockAsk): Promise<LeaseOutcome> {
    const ask = { partition, need: 1, wanted: Math.max(1, wanted) };
    return await this.obtain(`${promotionRef}@${version}`, stockLease(promotionRef), ask);
  }

  /** Gets uses or money of a promotion for a partition. Never rejects. */
  async obtainUses({ counter, partition, units }: UsesAsk): Promise<LeaseOutcome> {
    const subject = `${counter.promotionRef}/${counter.counter}/${counter.limit}`;
    return await this.obtain(subject, usageLease(counter), { partition, need: units, wanted: units });
  }

  private async obtain(subject: string, shape: LeaseShape, ask: LeaseAsk): Promise<LeaseOutcome> {
    const askedAtMs = this.ports.nowMs();
    const hint = this.hints.get(subject);
    if (hint !== undefined && hint.outcome.asOfMs > askedAtMs - this.ports.hintMs && hint.need <= ask.need) {
      this.ports.ended('hinted');
      return hint.outcome;
    }
    const key = `${subject}:${ask.partition}:${ask.need}`;
    const joined = await this.running.get(key);
    const isOld = joined?.kind === 'exhausted' && joined.asOfMs <= askedAtMs - this.ports.hintMs;
    const outcome =
      joined === undefined || isOld
        ? await (this.running.get(key) ?? this.begin(key, subject, shape, ask))
        : joined;
    this.ports.ended(outcome.kind);
    return outcome;
  }

  private begin(key: string, subject: string, shape: LeaseShape, ask: LeaseAsk): Promise<LeaseOutcome> {
    const run = new LeaseRun(this.ports, shape, ask, this.ports.nowMs() + RUN_MS).run().then((outcome) => {
      this.running.delete(key);
      if (outcome.kind === 'exhausted') this.remember(subject, outcome, ask.need);
      return outcome;
    });
    this.running.set(key, run);
    return run;
  }

  private remember(subject: string, outcome: Exhausted, need: number): void {
    if (this.hints.size >= SOLD_OUT_HINTS) this.hints.clear();
    this.hints.set(subject, { outcome, need });
  }
}
