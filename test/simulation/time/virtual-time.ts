/**
 * Time of the simulation. It stands still while anything runs and then jumps to the next thing that is due, so hours pass in
 * milliseconds and the same schedule runs the same way every time.
 *
 * Everything that is scheduled belongs to an owner: the process that was at work when it was asked for. A process that crashes
 * takes its timers and the answers it waits for with it; one that is frozen finds them all due when it goes on.
 */

/** Something that is due some time. */
export interface Scheduled {
  readonly atMs: number;
  readonly order: number;
  readonly owner: string;
  readonly task: () => void;
  isCancelled: boolean;
}

const realImmediate = globalThis.setImmediate;
/** Tasks after which the real event loop gets a turn, so that signals and output get through. */
const TASKS_PER_TURN = 20_000;

function isBefore(one: Scheduled, other: Scheduled): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

/** See the module's comment. */
export class VirtualTime {
  nowMs: number;
  /** Who is at work. */
  owner = '';
  /** Tasks carried out so far. */
  tasks = 0;
  private readonly heap: Scheduled[] = [];
  private order = 0;
  private readonly dead = new Set<string>();
  private readonly frozenUntilMs = new Map<string, number>();

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  /** Has a task carried out so many milliseconds from now. */
  schedule(delayMs: number, task: () => void, owner: string = this.owner): Scheduled {
    const atMs = this.nowMs + Math.max(0, delayMs);
    const scheduled = { atMs, order: this.order++, owner, task, isCancelled: false };
    this.push(scheduled);
    return scheduled;
  }

  /** Resolves so many milliseconds from now. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.schedule(delayMs, resolve);
    });
  }

  /** The owner does nothing any more. */
  kill(owner: string): void {
    this.dead.add(owner);
  }

  /** Was the owner killed? */
  isDead(owner: string): boolean {
    return this.dead.has(owner);
  }

  /** Has the owner been alive, and not frozen, since that moment? */
  isAtWork(owner: string, sinceMs: number): boolean {
    return !this.dead.has(owner) && (this.frozenUntilMs.get(owner) ?? 0) < sinceMs;
  }

  /** The owner does nothing until then. */
  freeze(owner: string, untilMs: number): void {
    this.frozenUntilMs.set(owner, untilMs);
  }

  /**
   * Carries out what is due, one task after the other, each with everything that follows from it without waiting, until
   * `isOver` or nothing is left.
   */
  async run(isOver: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const step = (): void => {
      try {
        const next = isOver() ? undefined : this.next();
        if (next === undefined) {
          resolve();
          return;
        }
        this.nowMs = Math.max(this.nowMs, next.atMs);
        this.owner = next.owner;
        this.tasks += 1;
        next.task();
      } catch (error) {
        reject(error);
        return;
      }
      // A microtask is run after all that the task has set off; a tick after all microtasks.
      if (this.tasks % TASKS_PER_TURN === 0) realImmediate(step);
      else queueMicrotask(() => process.nextTick(step));
    };
    process.nextTick(step);
    await promise;
  }

  private next(): Scheduled | undefined {
    for (;;) {
      const next = this.pop();
      if (next === undefined) return undefined;
      if (next.isCancelled || this.dead.has(next.owner)) continue;
      const thawsAtMs = this.frozenUntilMs.get(next.owner) ?? 0;
      if (thawsAtMs <= next.atMs) return next;
      this.push({ ...next, atMs: thawsAtMs, order: next.order });
    }
  }

  private push(scheduled: Scheduled): void {
    const { heap } = this;
    let at = heap.push(scheduled) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(scheduled, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = scheduled;
  }

  private pop(): Scheduled | undefined {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || first === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [one, other] = [heap[left], heap[left + 1]];
      if (one === undefined) break;
      const isRight = other !== undefined && isBefore(other, one);
      const child = isRight ? other : one;
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = isRight ? left + 1 : left;
    }
    heap[at] = last;
    return first;
  }
}
