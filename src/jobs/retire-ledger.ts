/**
 * `retire-ledger`: what is over leaves Redis, so that its memory follows what is going on and not what ever was. Orders whose
 * record has not changed for so many days, and coupons that were used, revoked or past their date for as long, go in one
 * event each; the archive keeps what they held, and a late return brings it back (`redemption/hydrate-order.ts`).
 * The wallet counts the coupons that left it, so that who lists them knows whether to ask the archive.
 *
 * Nothing goes unless Redis and the archive hold the same bytes. Counters of claims, points and facts never go.
 */
import { readArchivedOrder } from '../archive/archived-orders.ts';
import type { PartitionId } from '../archive/ledger-port.ts';
import type { ArchivePlaces } from '../archive/places.ts';
import type { Sql } from '../database/client.ts';
import { COUPON_FIELD_BYTES } from '../domain/coupon.ts';
import { MS_PER_DAY } from '../domain/durations.ts';
import { decodeRedemption } from '../domain/redemption.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ACCOUNT_FIELDS, ORDER_FIELDS, WALLET_FIELDS } from '../ledger/record-fields.ts';
import { accountOf, orderOf, type RecordName, type Step, walletOf } from '../ledger/transaction.ts';
import type { Job, JobContext, JobCounts } from './job.ts';
import { GROUPS_PER_EVENT, RETIRE_MS, RETIRED_PER_READ } from './limits.ts';
import {
  type EndedCoupon,
  endedCoupons,
  lapsedCoupons,
  lastEntryBefore,
  quietOrders,
  type WalkPlace,
} from './store/retirement.ts';

/** What the job needs. */
export interface RetirePorts {
  readonly sql: Sql;
  readonly places: ArchivePlaces;
  readonly ledger: Pick<Ledger, 'read' | 'transact'>;
  /** 0 switches the job off. */
  readonly days: number;
  readonly cron: string;
  readonly timeZone: string;
  readonly nowMs: () => number;
}

type Fields = ReadonlyMap<string, Buffer>;
type Found = EndedCoupon & { readonly place: WalkPlace };

const START: WalkPlace = { seq: -1, key: '' };

/** Makes the job. */
export function createRetireJob(ports: RetirePorts): Job {
  return {
    name: 'retire-ledger',
    description: 'Takes orders and coupons that have long been over out of Redis; the archive keeps them.',
    times: { kind: 'cron', cron: ports.cron, timeZone: ports.timeZone },
    isEnabled: ports.days > 0,
    run: (context) => new Retirement(ports, context).run(),
  };
}

/** One run. */
class Retirement {
  private readonly ports: RetirePorts;
  private readonly context: JobContext;
  private readonly counts = { orders: 0, coupons: 0, kept: 0 };

  constructor(ports: RetirePorts, context: JobContext) {
    this.ports = ports;
    this.context = context;
  }

  async run(): Promise<JobCounts> {
    const beforeMs = this.context.nowMs - this.ports.days * MS_PER_DAY;
    for (const id of this.ports.places.all) await this.retirePartition(id, beforeMs);
    await this.retireLapsed(beforeMs);
    return { ...this.counts };
  }

  /** Orders and coupons whose last event is as old as that. */
  private async retirePartition(id: PartitionId, beforeMs: number): Promise<void> {
    const { sql } = this.ports;
    const untilSeq = await lastEntryBefore(sql, id, beforeMs, this.deadline());
    const limit = RETIRED_PER_READ;
    await this.walk(
      (after) => quietOrders(sql, id, { after, untilSeq, limit }, this.deadline()),
      (places) =>
        this.retireOrders(
          id,
          places.map(({ key }) => key),
        ),
      (place) => place,
    );
    await this.walk(
      (after) => endedCoupons(sql, id, { after, untilSeq, limit }, this.deadline()),
      (coupons) => this.retireCoupons(coupons),
      ({ place }) => place,
    );
  }

  /** Coupons whose date is past by as much; nothing has happened to them. */
  private async retireLapsed(beforeMs: number): Promise<void> {
    const limit = RETIRED_PER_READ;
    await this.walk(
      (last) => {
        const after = { ...last, seq: Math.max(0, last.seq) };
        return lapsedCoupons(this.ports.sql, { after, beforeMs, limit }, this.deadline());
      },
      (coupons) => this.retireCoupons(coupons),
      ({ place }) => place,
    );
  }

  /** Page by page, past what cannot go yet. */
  private async walk<Item>(
    read: (after: WalkPlace) => Promise<Item[]>,
    retire: (items: readonly Item[]) => Promise<void>,
    placeOf: (item: Item) => WalkPlace,
  ): Promise<void> {
    let after: WalkPlace | undefined = START;
    while (after !== undefined && !this.context.signal.aborted) {
      const items = await read(after);
      await retire(items);
      this.context.progress({ ...this.counts });
      const last = items.length === RETIRED_PER_READ ? items.at(-1) : undefined;
      after = last && placeOf(last);
    }
  }

  private async retireOrders(place: PartitionId, ids: readonly string[]): Promise<void> {
    for (const id of new Set(ids)) {
      if (this.context.signal.aborted) return;
      const name: RecordName = { record: 'order', id };
      const [live] = await this.records([name]);
      const archived = await readArchivedOrder(this.ports.sql, place, id, this.deadline());
      const isOver = live !== undefined && live.size > 0 && isClosed(live) && isSame(live, archived);
      const isGone = isOver && (await this.remove(orderSteps(name, live)));
      this.counts[isGone ? 'orders' : 'kept'] += 1;
    }
  }

  private async retireCoupons(coupons: readonly Found[]): Promise<void> {
    for (const [userId, own] of Map.groupBy(coupons, ({ userId }) => userId)) {
      if (this.context.signal.aborted) return;
      const [wallet, account] = await this.records([walletOf(userId), accountOf(userId)]);
      if (wallet === undefined || account === undefined) return;
      const same = own.filter((coupon) => wallet.get(nameOf(coupon))?.equals(coupon.value));
      const free = await this.withoutOrder(userId, account, same);
      const steps = free.map((coupon) => couponSteps(coupon, account));
      const isGone = steps.length > 0 && (await this.remove(steps));
      this.counts.coupons += isGone ? free.length : 0;
      this.counts.kept += own.length - (isGone ? free.length : 0);
    }
  }

  /** A coupon stays as long as the record of the order that used it. */
  private async withoutOrder(userId: string, account: Fields, coupons: readonly Found[]): Promise<Found[]> {
    const orderIds = coupons.map((coupon) =>
      account.get(ACCOUNT_FIELDS.holder.name(nameOf(coupon)))?.toString(),
    );
    const orders = await this.records(orderIds.map((orderId) => orderOf(userId, orderId ?? '')));
    return coupons.filter((_, index) => orderIds[index] === undefined || orders[index]?.size === 0);
  }

  /** Groups of steps that belong together, as many as fit into an event each time; false when something had changed. */
  private async remove(groups: readonly (readonly Step[])[]): Promise<boolean> {
    for (let start = 0; start < groups.length; start += GROUPS_PER_EVENT) {
      const steps = groups.slice(start, start + GROUPS_PER_EVENT).flat();
      const transaction = { event: 'retired', opensNew: false, steps } as const;
      const outcome = await this.ports.ledger.transact(transaction, this.deadline());
      if (outcome.kind !== 'done') return false;
    }
    return true;
  }

  private records(names: readonly RecordName[]): Promise<Map<string, Buffer>[]> {
    return this.ports.ledger.read(this.deadline(), (reads) => reads.records(names));
  }

  private deadline(): number {
    return this.ports.nowMs() + RETIRE_MS;
  }
}

function nameOf({ couponId }: EndedCoupon): string {
  return couponId.subarray(-COUPON_FIELD_BYTES).toString('latin1');
}

/** No order leaves while it holds something. */
function isClosed(order: Fields): boolean {
  const head = order.get(ORDER_FIELDS.head.name);
  return head === undefined || decodeRedemption(head).state !== 'reserved';
}

function isSame(live: Fields, archived: Fields): boolean {
  return live.size === archived.size && [...live].every(([name, value]) => archived.get(name)?.equals(value));
}

/** The head goes last, so that an order that goes in several events is known until the end. */
function orderSteps(on: RecordName, order: Fields): Step[][] {
  const head = ORDER_FIELDS.head.name;
  const names = [...order.keys()].sort((one, other) => Number(one === head) - Number(other === head));
  return names.map((name): Step[] => {
    const field = Buffer.from(name, 'latin1');
    const value = order.get(name) ?? Buffer.alloc(0);
    return [
      { kind: 'expect', on, field, value },
      { kind: 'remove', on, field },
    ];
  });
}

function couponSteps(coupon: EndedCoupon, account: Fields): Step[] {
  const wallet = walletOf(coupon.userId);
  const on = accountOf(coupon.userId);
  const field = Buffer.from(nameOf(coupon), 'latin1');
  const orderId = account.get(ACCOUNT_FIELDS.holder.name(nameOf(coupon)));
  const marks = [ACCOUNT_FIELDS.holder, ACCOUNT_FIELDS.revoked].map((mark) => mark.name(nameOf(coupon)));
  return [
    { kind: 'expect', on: wallet, field, value: coupon.value },
    // An order that came back meanwhile keeps its coupons.
    ...(orderId === undefined
      ? []
      : [
          {
            kind: 'absent',
            on: orderOf(coupon.userId, orderId.toString()),
            field: ORDER_FIELDS.head.bytes,
          } as const,
        ]),
    { kind: 'remove', on: wallet, field },
    { kind: 'add', on: wallet, field: WALLET_FIELDS.retired.bytes, delta: 1 },
    ...marks
      .filter((mark) => account.has(mark))
      .map((mark): Step => ({ kind: 'remove', on, field: Buffer.from(mark, 'latin1') })),
  ];
}
