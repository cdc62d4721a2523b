import { BATCH_BYTES, BATCH_REQUESTS } from './limits.ts';
import type { PendingEvaluation } from './pending-evaluation.ts';
import { frameBytes } from './task-format.ts';

/** How much one batch carries. */
export interface BatchBounds {
  readonly requests: number;
  readonly bytes: number;
}

/** The bounds of light requests; heavy ones go one by one. */
export const LIGHT_BATCH: BatchBounds = { requests: BATCH_REQUESTS, bytes: BATCH_BYTES };
/** Every request by itself. */
export const SINGLE_REQUEST: BatchBounds = { requests: 1, bytes: Number.POSITIVE_INFINITY };

/** An item in the line. */
export interface Waiting {
  readonly item: PendingEvaluation;
  /** By the monotonic clock, in milliseconds. */
  readonly sinceMs: number;
}

/** Requests in the order in which they came, until a worker is free. */
export class WaitingLine {
  private readonly bounds: BatchBounds;
  private items: Waiting[] = [];
  private first = 0;

  constructor(bounds: BatchBounds) {
    this.bounds = bounds;
  }

  get size(): number {
    return this.items.length - this.first;
  }

  push(item: PendingEvaluation, sinceMs: number): void {
    this.items.push({ item, sinceMs });
  }

  /** The next batch; those for whom nobody waits any more are left out. Empty when none wait. */
  take(): Waiting[] {
    const batch: Waiting[] = [];
    let bytes = 0;
    for (let next = this.items[this.first]; next !== undefined; next = this.items[this.first]) {
      if (!next.item.isSettled) {
        const size = frameBytes(next.item);
        if (batch.length > 0 && bytes + size > this.bounds.bytes) break;
        if (batch.length === this.bounds.requests) break;
        batch.push(next);
        bytes += size;
      }
      this.first += 1;
    }
    this.forget();
    return batch;
  }

  /** Everything that waits; the line is empty afterwards. */
  clear(): Waiting[] {
    const rest = this.items.slice(this.first);
    this.items = [];
    this.first = 0;
    return rest;
  }

  /** Gives up what was taken, when that is most of the memory. */
  private forget(): void {
    if (this.first * 2 <= this.items.length) return;
    this.items = this.items.slice(this.first);
    this.first = 0;
  }
}
