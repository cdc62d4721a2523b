/** Injects faults into a world, one after the other and some at once, as a seed decides. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, RunConditions } from './faults/fault.ts';
import type { Random } from './faults/random.ts';
import type { World } from './topology/world.ts';

/** Pauses between faults, ms: the product works undisturbed for long enough to show it. */
const PAUSE_MS = [400, 1_500] as const;
/** How often a second fault begins while one is there. */
const OVERLAP_PROBABILITY = 0.35;
/** How long an injection or its end may take, ms; more is a fault of the run itself. Some start five processes on a busy machine. */
const STEP_MS = 180_000;

/** A fault that was injected. */
export interface Injected {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  /** When it began and when it was taken away, ms since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A fault that was not. */
export interface Skipped {
  readonly id: string;
  readonly title: string;
  readonly reason: string;
}

/** Which faults a run may choose from, and why not the others. */
export function chooseFaults(
  faults: readonly Fault[],
  conditions: RunConditions,
  ids: ReadonlySet<string> | undefined,
): { readonly chosen: readonly Fault[]; readonly skipped: readonly Skipped[] } {
  const wanted = faults.filter((fault) => ids === undefined || ids.has(fault.id));
  const reasons = wanted.map((fault) => ({ fault, reason: reasonAgainst(fault, conditions) }));
  return {
    chosen: reasons.filter(({ reason }) => reason === undefined).map(({ fault }) => fault),
    skipped: reasons.flatMap(({ fault: { id, title }, reason }) =>
      reason === undefined ? [] : [{ id, title, reason }],
    ),
  };
}

function reasonAgainst(fault: Fault, conditions: RunConditions): string | undefined {
  const { topology } = conditions;
  if (!fault.topologies.includes(topology)) return `wants --topology ${fault.topologies.join(' or ')}`;
  return fault.canRun(conditions);
}

/** Injects faults until its time is over. */
export class Nemesis {
  readonly injected: Injected[] = [];
  private readonly world: World;
  private readonly faults: readonly Fault[];
  private readonly random: Random;
  private readonly counts = new Map<Fault, number>();
  private readonly active = new Set<Fault>();

  constructor(world: World, faults: readonly Fault[], random: Random) {
    this.world = world;
    this.faults = faults;
    this.random = random;
  }

  /** Goes on until `untilMs`; when it resolves every fault is healed. Throws when a fault could not be injected or healed. */
  async run(untilMs: number): Promise<void> {
    const first = this.lane(untilMs, 1, this.random.fork('first'));
    const second = this.lane(untilMs, OVERLAP_PROBABILITY, this.random.fork('second'));
    const results = await Promise.allSettled([first, second]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  private async lane(untilMs: number, probability: number, random: Random): Promise<void> {
    const { signal } = this.world;
    while (Date.now() < untilMs && !signal.aborted) {
      await pause(random.between(...PAUSE_MS), signal);
      if (signal.aborted || Date.now() >= untilMs) return;
      if (!random.chance(probability)) continue;
      const fault = this.next(random);
      if (fault !== undefined) await this.inject(fault, random);
    }
  }

  /** One of those that were injected least and get along with what is there. */
  private next(random: Random): Fault | undefined {
    const parts = new Set([...this.active].flatMap((fault) => fault.parts));
    const possible = this.faults.filter(
      (fault) => !this.active.has(fault) && fault.parts.every((part) => !parts.has(part)),
    );
    const count = (fault: Fault): number => this.counts.get(fault) ?? 0;
    const least = Math.min(...possible.map(count));
    const rarest = possible.filter((fault) => count(fault) === least);
    return rarest.length === 0 ? undefined : random.pick(rarest);
  }

  private async inject(fault: Fault, random: Random): Promise<void> {
    const { world } = this;
    const { id, title } = fault;
    this.active.add(fault);
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
    const fromMs = Date.now();
    try {
      const injection = await inTime(`${id} was not injected`, fault.inject(world, random));
      world.say(`${id} ${title}: ${injection.note}`);
      await pause(random.between(...fault.lastsMs), world.signal);
      await inTime(`${id} was not healed`, injection.heal());
      this.injected.push({ id, title, note: injection.note, fromMs, toMs: Date.now() });
    } catch (error) {
      if (!world.signal.aborted) throw new Error(`${id} ${title}`, { cause: error });
    } finally {
      this.active.delete(fault);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

async function inTime<Value>(complaint: string, step: Promise<Value>): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${complaint} within ${STEP_MS} ms`)), STEP_MS);
  try {
    return await Promise.race([step, promise]);
  } finally {
    clearTimeout(timer);
  }
}
