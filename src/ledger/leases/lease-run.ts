/**
 * One attempt to get units of a quantity for a partition: look at everybody's figures, do the next step, look again. Steps
 * are transactions that hold only while what was read is still so, hence runs of any number of processes may meet, and any of
 * them may end between two steps.
 */
import type { LeaseCall } from '../../telemetry/lease-metrics.ts';
import { homePartition } from '../keys.ts';
import type { Outcome, Step } from '../transaction.ts';
import type { LeasePorts } from './lease-ports.ts';
import { type Fields, type LeaseShape, numberIn, setNumber, unchanged } from './lease-shape.ts';
import { PAUSE_FIRST_MS, PAUSE_LONGEST_MS } from './limits.ts';
import {
  type LeaseAsk,
  type LeaseStep,
  type LeaseView,
  nextStep,
  type Raise,
  type ShareTarget,
} from './plan-lease.ts';

/** How a run ended. */
export type LeaseOutcome =
  /** The partition has units now, unless others were faster: try again. */
  | { readonly kind: 'granted' }
  /** At an instant not before `asOfMs` nobody had enough. `limit` units there are, `used` of them in use. */
  | {
      readonly kind: 'exhausted';
      readonly limit: number;
      readonly used: number;
      readonly asOfMs: number;
    }
  /** A partition could not be asked, or others were faster all the time: nothing is known. */
  | { readonly kind: 'unavailable'; readonly cause: unknown };

/** Everybody's figures, and the fields they were read from. */
interface Look {
  readonly view: LeaseView;
  readonly pool: Fields;
  readonly records: readonly Fields[];
  /** When the last of it was read. */
  readonly atMs: number;
}

/** See the module's comment. */
export class LeaseRun {
  private readonly ports: LeasePorts;
  private readonly shape: LeaseShape;
  private readonly ask: LeaseAsk;
  private readonly deadlineMs: number;
  private readonly home: number;
  /** What partitions gave back as this run knows for certain, by partition. */
  private readonly confirmedBack = new Map<number, number>();
  private pauseMs = PAUSE_FIRST_MS;
  private obstacle: unknown;

  constructor(ports: LeasePorts, shape: LeaseShape, ask: LeaseAsk, deadlineMs: number) {
    this.ports = ports;
    this.shape = shape;
    this.ask = ask;
    this.deadlineMs = deadlineMs;
    this.home = homePartition(shape.promotionRef, ports.partitions);
  }

  /** Never rejects. */
  async run(): Promise<LeaseOutcome> {
    while (this.ports.nowMs() < this.deadlineMs) {
      const outcome = await this.attempt().catch((error: unknown) => {
        this.obstacle = error;
        return 'again' as const;
      });
      if (typeof outcome === 'object') return outcome;
      if (outcome === 'again') await this.pause();
    }
    return { kind: 'unavailable', cause: this.obstacle };
  }

  /** One look and one step: the end, `next` when it went well, `again` when somebody else was faster. */
  private async attempt(): Promise<LeaseOutcome | 'next' | 'again'> {
    const look = await this.look();
    if (look === undefined) {
      await this.ports.ensureDefined(this.shape.promotionRef, this.deadlineMs);
      return 'again';
    }
    const step = nextStep(look.view, this.ask);
    switch (step.kind) {
      case 'ready':
        return { kind: 'granted' };
      case 'grant':
        return (await this.grant(look, step)) ? { kind: 'granted' } : 'again';
      case 'takeBack':
        return (await this.takeBack(look, step.from)) ? 'next' : 'again';
      case 'exhausted':
        return (await this.holdsAtOnce(look)) ? exhaustedAt(look, step.used) : 'again';
    }
  }

  private async pause(): Promise<void> {
    await this.ports.pause(this.pauseMs * (1 + this.ports.random()));
    this.pauseMs = Math.min(PAUSE_LONGEST_MS, this.pauseMs * 2);
  }

  /**
   * Undefined while a definition is on its way to the partitions. The pool is read last: what a partition received was granted
   * before, so a pool that says less has really lost it.
   */
  private async look(): Promise<Look | undefined> {
    const { ports, shape } = this;
    const partitions = [...Array(ports.partitions).keys()];
    const fields = [...shape.leaseFields, ...shape.usedFields, ...shape.fence].map(({ bytes }) => bytes);
    ports.called('look', partitions.length + 1);
    const records = await Promise.all(
      partitions.map((partition) => ports.readPartition(partition, shape.record, fields, this.deadlineMs)),
    );
    const poolNames = this.poolNames().map(({ bytes }) => bytes);
    const pool = await ports.readPool(shape.pool, poolNames, this.deadlineMs);
    const limit = shape.limitIn(pool);
    const shares = records.map((record) => shape.shareIn(record));
    const isDefined = shape.fence.every(({ name }) => records[this.ask.partition]?.has(name));
    if (limit === undefined || !isDefined || shares.some(({ isBounded }) => !isBounded)) return undefined;
    const figures = {
      granted: partitions.map((partition) => numberIn(pool, shape.poolFields.granted(partition))),
      back: partitions.map((partition) => numberIn(pool, shape.poolFields.back(partition))),
      total: numberIn(pool, shape.poolFields.total),
    };
    return { view: { limit, pool: figures, shares }, pool, records, atMs: ports.nowMs() };
  }

  private poolNames() {
    const { limit, total, granted, back } = this.shape.poolFields;
    const each = [...Array(this.ports.partitions).keys()].flatMap((partition) => [
      granted(partition),
      back(partition),
    ]);
    return [limit, total, ...each];
  }

  private async grant(look: Look, step: Extract<LeaseStep, { kind: 'grant' }>): Promise<boolean> {
    if (!(await this.confirmBack(look, step.notes))) return false;
    const granted = await this.transact('grant', this.home, this.poolSteps(look, step));
    if (granted.kind !== 'done') return false;
    this.ports.moved('granted', step.units);
    return await this.deliver(look, step.deliver);
  }

  /**
   * What was read of somebody else's giving back may be lost again by a server that has not made it durable; the pool may only
   * hear of what stays. A transaction that checks and writes nothing answers when it does.
   */
  private async confirmBack({ records }: Look, notes: readonly Raise[]): Promise<boolean> {
    const unsure = notes.filter(({ partition, to }) => (this.confirmedBack.get(partition) ?? 0) < to);
    const outcomes = await Promise.all(
      unsure.map(({ partition }) => {
        const read = records[partition] ?? new Map();
        return this.transact(
          'confirm',
          partition,
          unchanged(this.shape.record, this.shape.leaseFields, read),
        );
      }),
    );
    return outcomes.every(({ kind }) => kind === 'done');
  }

  private poolSteps({ pool }: Look, step: Extract<LeaseStep, { kind: 'grant' }>): Step[] {
    const { pool: on, poolFields } = this.shape;
    const { limit, total, granted, back } = poolFields;
    const { raises, notes, units, deliver } = step;
    const learned = sumOf(raises) - sumOf(notes);
    const own = granted(deliver.partition);
    const set = [
      ...raises
        .filter(({ partition }) => partition !== deliver.partition)
        .map(({ partition, to }) => ({ field: granted(partition), to })),
      ...notes.map(({ partition, to }) => ({ field: back(partition), to })),
      { field: own, to: deliver.granted },
    ];
    const isNew = deliver.granted !== numberIn(pool, own);
    const written = isNew ? set : set.filter(({ field }) => field !== own);
    return [
      ...unchanged(on, [limit, ...set.map(({ field }) => field)], pool),
      ...written.map(({ field, to }) => setNumber(on, field, to)),
      ...(learned === 0 ? [] : [addTo(on, total.bytes, learned, Number.MAX_SAFE_INTEGER)]),
      addTo(on, total.bytes, units, this.limitOf(pool)),
    ];
  }

  private limitOf(pool: Fields): number {
    return this.shape.limitIn(pool) ?? 0;
  }

  /** The partition's share, as long as nothing about it has changed since it was read, its limit included. */
  private async deliver({ records }: Look, { partition, granted, back }: ShareTarget): Promise<boolean> {
    const { record, leaseFields, fence, write } = this.shape;
    const read = records[partition] ?? new Map();
    const steps = [...unchanged(record, [...leaseFields, ...fence], read), ...write(granted, back)];
    return (await this.transact('deliver', partition, steps)).kind === 'done';
  }

  /** True when at least one of them gave back what it was asked for. */
  private async takeBack({ view, records }: Look, from: readonly ShareTarget[]): Promise<boolean> {
    const { record, leaseFields, usedAtMost, writeBack } = this.shape;
    const outcomes = await Promise.all(
      from.map(async ({ partition, granted, back }) => {
        const read = records[partition] ?? new Map();
        const steps = [
          ...unchanged(record, leaseFields, read),
          usedAtMost(granted - back),
          ...writeBack(read, granted, back),
        ];
        const { kind } = await this.transact('take_back', partition, steps);
        if (kind !== 'done') return false;
        this.confirmedBack.set(partition, back);
        this.ports.moved('taken_back', back - (view.shares[partition]?.back ?? 0));
        return true;
      }),
    );
    return outcomes.includes(true);
  }

  /**
   * Nobody had enough when each was read; that says little about any one instant, since units move on. What is still so when
   * all are asked again, and cannot have changed and changed back, was so in between.
   */
  private async holdsAtOnce({ pool, records }: Look): Promise<boolean> {
    const { shape } = this;
    const asked = records.map((read, partition) =>
      this.transact(
        'confirm',
        partition,
        unchanged(shape.record, [...shape.leaseFields, ...shape.usedFields], read),
      ),
    );
    const poolAsked = this.transact('confirm', this.home, unchanged(shape.pool, this.poolNames(), pool));
    const outcomes = await Promise.all([poolAsked, ...asked]);
    return outcomes.every(({ kind }) => kind === 'done');
  }

  private async transact(call: LeaseCall, partition: number, steps: Step[]): Promise<Outcome> {
    this.ports.called(call, 1);
    return await this.ports.transactAt(
      partition,
      { event: 'leased', opensNew: false, steps },
      this.deadlineMs,
    );
  }
}

function exhaustedAt({ view, atMs }: Look, used: number): LeaseOutcome {
  return { kind: 'exhausted', limit: view.limit, used, asOfMs: atMs };
}

function addTo(on: LeaseShape['pool'], field: Buffer, delta: number, max: number): Step {
  return { kind: 'add', on, field, delta, min: Number.MIN_SAFE_INTEGER, max };
}

function sumOf(raises: readonly Raise[]): number {
  return raises.reduce((sum, { by }) => sum + by, 0);
}
