/**
 * One seeded schedule of a budget: orders of processes spend and give back, processes know of a changed limit at different
 * times and die, calls get lost or come twice. Throws at the first thing that is not as promised.
 */
import type { UsageCounter } from '../../src/ledger/leases/usage-lease.ts';
import { USAGE_FIELDS } from '../../src/ledger/record-fields.ts';
import { type Outcome, type Step, usageOf } from '../../src/ledger/transaction.ts';
import { lentOf } from '../../src/redemption/shared-usage.ts';
import { LeaseProcess, type Mutation } from './lease-process.ts';
import { SeededRandom } from './seeded-random.ts';
import { type FaultRates, SimulatedNetwork } from './simulated-network.ts';
import { REF } from './simulated-stock.ts';
import { SimulatedPartition } from './simulated-store.ts';
import { VirtualTime } from './virtual-time.ts';

const NO_FAULTS: FaultRates = { lostCall: 0, lostReply: 0, twice: 0, serverDeath: 0 };
const ORDER_MS = 3_000;
const PAUSE_MS = 5;
const RECORD = usageOf(REF);
const { money: MONEY } = USAGE_FIELDS;

/** A process and the limit it knows. */
interface Server {
  readonly process: LeaseProcess;
  limit: number;
}

type OrderEnd = 'spent' | 'exhausted' | 'unknown';

/** Runs the schedule of a seed; answers with what was spent in the end. */
export async function runUsesSchedule(seed: number, mutation: Mutation = {}): Promise<number> {
  return await new UsesSchedule(seed, mutation).run();
}

class UsesSchedule {
  private readonly random: SeededRandom;
  private readonly time = new VirtualTime();
  private readonly stores: readonly SimulatedPartition[];
  private readonly network: SimulatedNetwork;
  private readonly mutation: Mutation;
  private readonly servers: Server[];
  private readonly spent: { readonly partition: number; readonly units: number }[] = [];
  private limit: number;
  private orders = 0;

  constructor(seed: number, mutation: Mutation) {
    this.random = new SeededRandom(seed);
    this.mutation = mutation;
    this.limit = 10 + this.random.below(60);
    this.stores = Array.from({ length: 2 + this.random.below(3) }, () => new SimulatedPartition());
    const rate = (): number => (this.random.chance(0.5) ? this.random.next() * 0.15 : 0);
    const rates = { lostCall: rate(), lostReply: rate(), twice: rate(), serverDeath: rate() / 2 };
    this.network = new SimulatedNetwork(this.time, this.random, this.stores, rates);
    this.servers = Array.from({ length: 1 + this.random.below(3) }, () => this.start());
  }

  async run(): Promise<number> {
    await this.time.run(this.life());
    this.network.rates = NO_FAULTS;
    await this.time.run(this.spendOut());
    return this.total();
  }

  private start(): Server {
    const { time, random, network, mutation, stores } = this;
    const process = new LeaseProcess({
      time,
      random,
      network,
      mutation,
      hintMs: 0,
      partitions: stores.length,
    });
    return { process, limit: this.limit };
  }

  private total(): number {
    return this.stores.reduce((sum, store) => sum + store.number(RECORD, MONEY.name), 0);
  }

  private async life(): Promise<void> {
    const clients = Array.from({ length: 3 + this.random.below(5) }, () =>
      this.client(2 + this.random.below(4)),
    );
    await Promise.all([...clients, this.change(), this.kill()]);
  }

  private async client(orders: number): Promise<void> {
    for (let order = 0; order < orders; order += 1) {
      const server = this.serverOf();
      const partition = this.random.below(this.stores.length);
      const units = this.random.below(12);
      await Promise.race([this.order(server, partition, units), server.process.gone]);
      if (this.random.chance(0.3)) await this.giveBack();
    }
  }

  private serverOf(): Server {
    const server = this.servers[this.random.below(this.servers.length)];
    if (server === undefined) throw new TypeError('no process');
    return server;
  }

  /** An order that spends so much: read, count within what was lent, get more, count again. */
  private async order(server: Server, partition: number, units: number): Promise<OrderEnd> {
    this.orders += 1;
    const id = `order:${this.orders}`;
    const untilMs = this.time.nowMs + ORDER_MS;
    while (this.time.nowMs < untilMs) {
      const end = await this.attempt(server, partition, units, id).catch(() => undefined);
      if (end !== undefined) return end;
      await this.time.sleep(PAUSE_MS);
    }
    return 'unknown';
  }

  private async attempt(
    { process, limit }: Server,
    partition: number,
    units: number,
    id: string,
  ): Promise<OrderEnd | undefined> {
    const counter: UsageCounter = { promotionRef: REF, counter: MONEY.name, limit };
    const record = await this.network.look(process, partition, (store) => store.read(RECORD));
    if (record.has(id)) return 'spent';
    const { before, max } = lentOf(new Map([[REF, record]]), counter);
    const steps: Step[] = [
      { kind: 'absent', on: RECORD, field: Buffer.from(id) },
      ...before,
      { kind: 'add', on: RECORD, field: MONEY.bytes, delta: units, max },
      { kind: 'set', on: RECORD, field: Buffer.from(id), value: Buffer.from(String(units)) },
    ];
    const outcome = await this.network.call(process, partition, (store) => this.spend(store, steps, limit));
    if (outcome.kind === 'done') {
      this.spent.push({ partition, units });
      return 'spent';
    }
    if (outcome.kind !== 'out_of_bounds') return undefined;
    const end = await process.coordinator.obtainUses({ counter, partition, units });
    return end.kind === 'exhausted' ? 'exhausted' : undefined;
  }

  /** No order takes the total beyond the limit it was made under, or one that some process still goes by. */
  private spend(store: SimulatedPartition, steps: Step[], limit: number): Outcome {
    const outcome = store.transact({ event: 'used', opensNew: true, steps }, this.time.nowMs);
    const units = Number(steps.at(-1)?.kind === 'set' ? store.text(RECORD, idOf(steps)) : 0);
    const most = Math.max(this.limit, limit, ...this.servers.map((server) => server.limit));
    if (outcome.kind === 'done' && units > 0 && this.total() > most)
      throw new Error(`an order takes the total to ${this.total()} of ${most}`);
    return outcome;
  }

  private async giveBack(): Promise<void> {
    const [order] = this.spent.splice(this.random.below(this.spent.length), 1);
    if (order === undefined) return;
    const { partition, units } = order;
    const store = this.stores[partition];
    const delta = 0 - units;
    const steps: Step[] = [
      { kind: 'add', on: RECORD, field: MONEY.bytes, delta, min: Number.MIN_SAFE_INTEGER },
    ];
    store?.transact({ event: 'released', opensNew: false, steps }, this.time.nowMs);
    store?.keep();
  }

  /** The limit changes; processes hear of it one after the other. */
  private async change(): Promise<void> {
    for (let changes = this.random.below(3); changes > 0; changes -= 1) {
      await this.time.sleep(this.random.below(300));
      this.limit = 10 + this.random.below(60);
      for (const server of [...this.servers]) {
        await this.time.sleep(this.random.below(60));
        server.limit = this.limit;
      }
    }
    for (const server of this.servers) server.limit = this.limit;
  }

  private async kill(): Promise<void> {
    for (let deaths = this.random.below(4); deaths > 0; deaths -= 1) {
      await this.time.sleep(this.random.below(200));
      const at = this.random.below(this.servers.length);
      this.servers[at]?.process.die();
      this.servers[at] = this.start();
    }
  }

  /** Nothing fails any more: the whole budget goes, unit by unit, whoever had it, and no more. */
  private async spendOut(): Promise<void> {
    for (const server of this.servers) server.limit = this.limit;
    // Late arrivals of calls that came twice.
    await this.time.sleep(ORDER_MS);
    const before = this.total();
    for (let partition = 0; partition < this.stores.length; partition += 1) await this.drain(partition);
    const expected = Math.max(before, this.limit);
    if (this.total() !== expected) throw new Error(`${this.total()} of ${expected} were spent at the end`);
  }

  private async drain(partition: number): Promise<void> {
    for (;;) {
      const end = await this.order(this.serverOf(), partition, 1);
      if (end === 'unknown') throw new Error(`partition ${partition} gets no answer although nothing fails`);
      if (end === 'exhausted') return;
    }
  }
}

function idOf(steps: readonly Step[]): string {
  const last = steps.at(-1);
  return last?.kind === 'set' ? last.field.toString() : '';
}
