/**
 * Claims waiting for the next script call, taken round robin by promotion.
 *
 * Without the turns a flash sale would starve every other promotion: its claims alone fill batch after batch.
 */
import type { Waits } from '../telemetry/tracing/traced-work.ts';
import type { ClaimRequest } from './claim-operation.ts';
import type { Attempted } from './open-attempts.ts';

/** A claim with what the queue keeps about it. */
export interface WaitingClaim extends Attempted, Waits {
  readonly request: ClaimRequest;
  /** Facts as the script reads them; empty when there are none. */
  readonly facts: Buffer;
  /** Expected script time, microseconds. */
  readonly costUs: number;
  isSettled: boolean;
}

/** A first-in-first-out queue whose head moves instead of its items. */
class Fifo {
  private items: WaitingClaim[] = [];
  private head = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  push(claim: WaitingClaim): void {
    this.items.push(claim);
  }

  shift(): WaitingClaim | undefined {
    const claim = this.items[this.head];
    if (claim === undefined) return undefined;
    this.head += 1;
    // Under a load that never lets it run empty, what was taken must not stay in memory.
    if (this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return claim;
  }

  /** Puts claims back before the others, keeping their order. */
  putBack(claims: readonly WaitingClaim[]): void {
    this.items = [...claims, ...this.items.slice(this.head)];
    this.head = 0;
  }

  /** Its claims, first come first. */
  waiting(): readonly WaitingClaim[] {
    return this.items.slice(this.head);
  }

  /** Removes and returns the claims `isOver` holds for. */
  removeWhere(isOver: (claim: WaitingClaim) => boolean): WaitingClaim[] {
    const waiting = this.waiting();
    const removed = waiting.filter(isOver);
    if (removed.length > 0) {
      this.items = waiting.filter((claim) => !isOver(claim));
      this.head = 0;
    }
    return removed;
  }
}

/** The waiting claims of one partition. */
export class ClaimQueue {
  private readonly byPromotion = new Map<number, Fifo>();
  private turns: Fifo[] = [];
  private turn = 0;
  private count = 0;
  private costUs = 0;

  get size(): number {
    return this.count;
  }

  /** Expected script time of everything that waits, microseconds. */
  get totalCostUs(): number {
    return this.costUs;
  }

  push(claim: WaitingClaim): void {
    this.fifoOf(claim.request.promotionRef).push(claim);
    this.count += 1;
    this.costUs += claim.costUs;
  }

  /** Puts claims whose call failed back at the head of their promotions' queues. */
  putBack(claims: readonly WaitingClaim[]): void {
    const groups = Map.groupBy(claims, (claim) => claim.request.promotionRef);
    for (const [ref, group] of groups) this.fifoOf(ref).putBack(group);
    for (const claim of claims) this.costUs += claim.costUs;
    this.count += claims.length;
  }

  /** Takes the next claims, one of each promotion in turn, up to `costLimitUs` and `countLimit`. Claims past `nowMs` go to `late`. */
  take(costLimitUs: number, countLimit: number, nowMs: number, late: WaitingClaim[]): WaitingClaim[] {
    const taken: WaitingClaim[] = [];
    let costUs = 0;
    while (this.count > 0 && costUs < costLimitUs && taken.length < countLimit) {
      const claim = this.next();
      if (claim === undefined) break;
      if (claim.request.deadlineMs < nowMs) {
        late.push(claim);
      } else {
        taken.push(claim);
        costUs += claim.costUs;
      }
    }
    return taken;
  }

  /** Everything that waits, in no stated order. */
  *waiting(): IterableIterator<WaitingClaim> {
    for (const fifo of this.turns) yield* fifo.waiting();
  }

  /** Removes the claims whose deadline is before `nowMs`. */
  removeLate(nowMs: number): WaitingClaim[] {
    const late: WaitingClaim[] = [];
    for (const fifo of this.turns)
      late.push(...fifo.removeWhere((claim) => claim.request.deadlineMs < nowMs));
    for (const claim of late) this.forget(claim);
    return late;
  }

  private next(): WaitingClaim | undefined {
    for (let tried = this.turns.length; tried > 0; tried -= 1) {
      this.turn = (this.turn + 1) % this.turns.length;
      const claim = this.turns[this.turn]?.shift();
      if (claim !== undefined) {
        this.forget(claim);
        return claim;
      }
    }
    return undefined;
  }

  private forget(claim: WaitingClaim): void {
    this.count -= 1;
    this.costUs -= claim.costUs;
    if (this.count === 0) this.reset();
  }

  /** An idle promotion costs a turn; when nothing waits at all, all are dropped. */
  private reset(): void {
    if (this.turns.length <= 1) return;
    this.byPromotion.clear();
    this.turns = [];
    this.turn = 0;
  }

  private fifoOf(ref: number): Fifo {
    const known = this.byPromotion.get(ref);
    if (known !== undefined) return known;
    const fifo = new Fifo();
    this.byPromotion.set(ref, fifo);
    this.turns.push(fifo);
    return fifo;
  }
}
