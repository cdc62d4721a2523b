/** What must hold of a promotion's coupons after every single write of a simulation, seen from outside with one clock. */
import { PROMOTION_FIELDS, poolFields } from '../../src/ledger/record-fields.ts';
import { issuedIn, POOL, RECORD, type SimulatedDefinition } from './simulated-stock.ts';
import type { SimulatedPartition } from './simulated-store.ts';
import type { VirtualTime } from './virtual-time.ts';

const FIELDS = poolFields('');

interface Moment {
  readonly atMs: number;
  readonly issued: number;
}

/** See the module's comment; its methods throw what is wrong. */
export class StockWatch {
  private readonly time: VirtualTime;
  private readonly stores: readonly SimulatedPartition[];
  /** Versions in force: the last one that all partitions have, and those begun since. */
  private versions: SimulatedDefinition[] = [];
  private readonly moments: Moment[] = [];

  constructor(time: VirtualTime, stores: readonly SimulatedPartition[]) {
    this.time = time;
    this.stores = stores;
  }

  /** Coupons that count against the stock, in all partitions. */
  issued(): number {
    return this.stores.reduce((sum, store) => sum + issuedIn(store), 0);
  }

  /** A version begins to come to the partitions. */
  began(definition: SimulatedDefinition): void {
    this.versions.push(definition);
  }

  /** All partitions have it. */
  acknowledged({ version }: SimulatedDefinition): void {
    this.versions = this.versions.filter((one) => one.version >= version);
  }

  /** After every write: the pool's figures agree, and grants stay within the quantity. */
  look(): void {
    const issued = this.issued();
    if (this.moments.at(-1)?.issued !== issued) this.moments.push({ atMs: this.time.nowMs, issued });
    for (const store of this.stores) this.checkPool(store);
  }

  /** A user has just got a coupon: it must have been there to have. */
  claimed(user: string): void {
    const most = Math.max(...this.versions.map(({ quantity = Number.POSITIVE_INFINITY }) => quantity));
    const issued = this.issued();
    if (issued > most) throw new Error(`user ${user} got coupon ${issued} of ${most}`);
  }

  /** A user hears that nothing is left: so it was at some instant since `sinceMs`. */
  refused(user: string, sinceMs: number): void {
    const least = Math.min(...this.versions.map(({ quantity = Number.POSITIVE_INFINITY }) => quantity));
    const before = this.moments.findLast(({ atMs }) => atMs <= sinceMs);
    const since = this.moments.filter(({ atMs }) => atMs > sinceMs);
    const seen = [before?.issued ?? 0, ...since.map(({ issued }) => issued), this.issued()];
    if (Math.max(...seen) < least)
      throw new Error(`user ${user} was refused while ${Math.max(...seen)} of ${least} were issued at most`);
  }

  private checkPool(store: SimulatedPartition): void {
    const total = store.text(POOL, FIELDS.total.name);
    if (total === undefined) return;
    const out = this.stores.reduce((sum, _, partition) => {
      const granted = store.number(POOL, FIELDS.granted(partition).name);
      return sum + granted - store.number(POOL, FIELDS.back(partition).name);
    }, 0);
    if (Number(total) !== out) throw new Error(`the pool counts ${total} units out, its partitions ${out}`);
    const received = this.stores.map((one) => {
      const text = one.text(RECORD, PROMOTION_FIELDS.received.name) ?? '0';
      return text === '' ? Number.POSITIVE_INFINITY : Number(text);
    });
    const used = this.stores.map(issuedIn);
    const beyond = used.findIndex((units, index) => units > (received[index] ?? 0));
    if (beyond >= 0)
      throw new Error(`partition ${beyond} issued ${used[beyond]} of ${received[beyond]} units`);
  }
}
