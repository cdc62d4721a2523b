/**
 * One seeded schedule of a promotion's coupons: processes claim, take back, change the quantity and die, calls get lost or
 * come twice, servers lose what nobody was answered for. Throws at the first thing that is not as promised.
 */
import { homePartition } from '../../src/ledger/keys.ts';
import { deliverDefinition } from '../../src/ledger/leases/deliver-definition.ts';
import { RUN_MS, SOLD_OUT_HINT_MS } from '../../src/ledger/leases/limits.ts';
import { LeaseProcess, type Mutation, type SimulatedSurroundings } from './lease-process.ts';
import { SeededRandom } from './seeded-random.ts';
import { type FaultRates, SimulatedNetwork } from './simulated-network.ts';
import { claimIn, defineIn, REF, revokeIn, type SimulatedDefinition } from './simulated-stock.ts';
import { SimulatedPartition } from './simulated-store.ts';
import { StockWatch } from './stock-watch.ts';
import { VirtualTime } from './virtual-time.ts';

const NO_FAULTS: FaultRates = { lostCall: 0, lostReply: 0, twice: 0, serverDeath: 0 };
/** How long a claim tries, ms. */
const CLAIM_MS = 3 * RUN_MS;
const PAUSE_MS = 5;

type ClaimEnd = 'claimed' | 'sold_out' | 'unknown';

/** What a schedule came to. */
export interface StockResult {
  readonly claimed: number;
  readonly soldOut: number;
}

/** Runs the schedule of a seed. */
export async function runStockSchedule(seed: number, mutation: Mutation = {}): Promise<StockResult> {
  const schedule = new StockSchedule(seed, mutation);
  return await schedule.run();
}

class StockSchedule {
  private readonly random: SeededRandom;
  private readonly time = new VirtualTime();
  private readonly stores: readonly SimulatedPartition[];
  private readonly network: SimulatedNetwork;
  private readonly processes: LeaseProcess[];
  private readonly watch: StockWatch;
  private readonly mutation: Mutation;
  private readonly holders: string[] = [];
  private readonly hintMs: number;
  /** So often a claim goes to partition 0, whatever else it might have chosen. */
  private readonly skew: number;
  private version = 0;
  private quantity: number | undefined;
  private users = 0;
  private soldOut = 0;
  private isChanging = true;

  constructor(seed: number, mutation: Mutation) {
    this.random = new SeededRandom(seed);
    this.mutation = mutation;
    this.hintMs = this.random.chance(0.5) ? SOLD_OUT_HINT_MS : 0;
    this.skew = this.random.chance(0.5) ? 0.8 : 0;
    const partitions = 2 + this.random.below(3);
    this.stores = Array.from({ length: partitions }, () => new SimulatedPartition());
    const rate = (): number => (this.random.chance(0.5) ? this.random.next() * 0.15 : 0);
    const rates = { lostCall: rate(), lostReply: rate(), twice: rate(), serverDeath: rate() / 2 };
    this.network = new SimulatedNetwork(this.time, this.random, this.stores, rates);
    this.watch = new StockWatch(this.time, this.stores);
    this.network.onServed = () => this.watch.look();
    this.processes = Array.from(
      { length: 1 + this.random.below(3) },
      () => new LeaseProcess(this.surroundings()),
    );
  }

  async run(): Promise<StockResult> {
    await this.time.run(this.life());
    this.network.rates = NO_FAULTS;
    await this.time.run(this.sellOut());
    return { claimed: this.watch.issued(), soldOut: this.soldOut };
  }

  private surroundings(): SimulatedSurroundings {
    const { time, random, network, mutation } = this;
    return { time, random, network, mutation, hintMs: this.hintMs, partitions: this.stores.length };
  }

  private async life(): Promise<void> {
    await this.publish(2 + this.random.below(14));
    const clients = Array.from({ length: 3 + this.random.below(6) }, () =>
      this.client(2 + this.random.below(4)),
    );
    const changes = this.change();
    const deaths = this.random.chance(0.5) ? this.kill() : Promise.resolve();
    const revokes = this.random.chance(0.5) ? this.revoke() : Promise.resolve();
    await Promise.all([...clients, changes, deaths, revokes]);
  }

  private async client(claims: number): Promise<void> {
    for (let claim = 0; claim < claims; claim += 1) {
      const process = this.processOf();
      const partition = this.random.chance(this.skew) ? 0 : this.random.below(this.stores.length);
      await Promise.race([this.claim(process, partition), process.gone]);
    }
  }

  private processOf(): LeaseProcess {
    const process = this.processes[this.random.below(this.processes.length)];
    if (process === undefined) throw new TypeError('no process');
    return process;
  }

  /** A claim of a new user, as a process makes it: the partition first, then a lease, then the partition again. */
  private async claim(process: LeaseProcess, partition: number): Promise<ClaimEnd> {
    this.users += 1;
    const user = String(this.users);
    const askedAtMs = this.time.nowMs;
    while (this.time.nowMs < askedAtMs + CLAIM_MS) {
      const end = await this.attempt(process, partition, user, askedAtMs).catch(() => undefined);
      if (end !== undefined) return end;
      await this.time.sleep(PAUSE_MS);
    }
    return 'unknown';
  }

  private async attempt(
    process: LeaseProcess,
    partition: number,
    user: string,
    askedAtMs: number,
  ): Promise<ClaimEnd | undefined> {
    const reply = await this.network.call(process, partition, (store) => {
      const answer = claimIn(store, user);
      if (answer.kind === 'claimed' && answer.isNew) this.watch.claimed(user);
      return answer;
    });
    if (reply.kind === 'claimed') {
      this.holders.push(`${partition}/${user}`);
      return 'claimed';
    }
    if (reply.kind === 'undefined') return undefined;
    const ask = { promotionRef: REF, partition, version: reply.version, wanted: 1 };
    const outcome = await process.coordinator.obtainStock(ask);
    if (outcome.kind !== 'exhausted') return undefined;
    this.watch.refused(user, askedAtMs - this.hintMs);
    this.soldOut += 1;
    return 'sold_out';
  }

  /** Changes the quantity and waits until all partitions have it, however often that takes. */
  private async publish(quantity: number | undefined): Promise<void> {
    this.version += 1;
    this.quantity = quantity;
    const definition = { ref: REF, version: this.version, ...(quantity !== undefined && { quantity }) };
    this.watch.began(definition);
    for (;;) {
      const process = this.processOf();
      const isDone = await Promise.race([this.deliver(process, definition), process.gone]).catch(() => false);
      if (isDone === true) break;
      await this.time.sleep(PAUSE_MS);
    }
    this.watch.acknowledged(definition);
  }

  private async deliver(process: LeaseProcess, definition: SimulatedDefinition): Promise<boolean> {
    const { mutation, stores } = this;
    const home = homePartition(REF, stores.length);
    const defineAt = (partition: number, closesLease: boolean): Promise<{ lent: number }> =>
      this.network.call(process, partition, (store) =>
        defineIn(store, definition, {
          isHome: partition === home,
          closesLease: closesLease && mutation.keepsLeases !== true,
        }),
      );
    if (mutation.definesHomeLast === true) {
      const others = stores.flatMap((_, partition) =>
        partition === home ? [] : [defineAt(partition, true)],
      );
      await Promise.all(others);
      await defineAt(home, true);
    } else {
      await deliverDefinition(definition, stores.length, defineAt);
    }
    return true;
  }

  private async change(): Promise<void> {
    for (let changes = this.random.below(4); changes > 0; changes -= 1) {
      await this.time.sleep(this.random.below(400));
      await this.publish(this.random.chance(0.1) ? undefined : 1 + this.random.below(18));
    }
    if (this.quantity === undefined) await this.publish(1 + this.random.below(18));
    this.isChanging = false;
  }

  private async kill(): Promise<void> {
    for (let deaths = 1 + this.random.below(4); deaths > 0; deaths -= 1) {
      await this.time.sleep(this.random.below(200));
      const at = this.random.below(this.processes.length);
      this.processes[at]?.die();
      this.processes[at] = new LeaseProcess(this.surroundings());
    }
  }

  private async revoke(): Promise<void> {
    const isBusy = this.random.chance(0.5);
    for (let revokes = isBusy ? 30 : 3; revokes > 0; revokes -= 1) {
      await this.time.sleep(this.random.below(isBusy ? 20 : 300));
      const [holder] = this.holders.splice(this.random.below(this.holders.length), 1);
      if (holder === undefined) continue;
      const [partition, user = ''] = holder.split('/');
      const process = this.processOf();
      const revoked = this.network.call(process, Number(partition), (store) =>
        revokeIn(store, user, this.mutation.keepsRevokedUnits),
      );
      await Promise.race([revoked.catch(() => {}), process.gone]);
    }
  }

  /** Nothing fails any more: everything there is must go, and not one coupon more. */
  private async sellOut(): Promise<void> {
    if (this.isChanging) throw new Error('the last change has not come to its end');
    const before = this.watch.issued();
    await this.time.sleep(SOLD_OUT_HINT_MS + RUN_MS);
    // One partition after the other: the first gets what all the others have not used.
    const first = this.random.below(this.stores.length);
    for (let index = 0; index < this.stores.length; index += 1)
      await this.drain((first + index) % this.stores.length);
    const expected = Math.max(before, this.quantity ?? 0);
    if (this.watch.issued() !== expected)
      throw new Error(`${this.watch.issued()} coupons of ${expected} were issued when nothing was left`);
  }

  private async drain(partition: number): Promise<void> {
    for (;;) {
      const end = await this.claim(this.processOf(), partition);
      if (end === 'unknown') throw new Error(`partition ${partition} gets no answer although nothing fails`);
      if (end === 'sold_out') return;
    }
  }
}
