/**
 * Calls of simulated processes to simulated partitions. A call may get lost, its reply may, it may arrive twice and late, and
 * the process may be dead by the time the reply comes.
 */
import { Refusal } from '../../src/domain/refusal.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedPartition } from './simulated-store.ts';
import type { VirtualTime } from './virtual-time.ts';

/** How often each fault happens, as a share of calls. */
export interface FaultRates {
  readonly lostCall: number;
  readonly lostReply: number;
  readonly twice: number;
  /** A server dies after a call and comes back without what nobody was answered for. */
  readonly serverDeath: number;
}

/** No call is longer under way, ms. */
const LONGEST_MS = 20;
/** A call without an answer is given up after so long, ms. */
const TIMEOUT_MS = 60;
/** A second arrival of a call may be this late, ms. */
const LATEST_MS = 200;
/** At most so many writes are lost at once. */
const LOST_WRITES = 4;

/** A process, which may die. */
export interface SimulatedProcess {
  isDead: boolean;
}

/** See the module's comment. */
export class SimulatedNetwork {
  private readonly time: VirtualTime;
  private readonly random: SeededRandom;
  private readonly partitions: readonly SimulatedPartition[];
  rates: FaultRates;
  /** Told after each call that was carried out. */
  onServed: () => void = () => {};

  constructor(
    time: VirtualTime,
    random: SeededRandom,
    partitions: readonly SimulatedPartition[],
    rates: FaultRates,
  ) {
    this.time = time;
    this.random = random;
    this.partitions = partitions;
    this.rates = rates;
  }

  /** Calls a partition. Never settles once the process is dead; rejects when nothing is known of the call. */
  call<Reply>(
    process: SimulatedProcess,
    partition: number,
    serve: (store: SimulatedPartition) => Reply,
  ): Promise<Reply> {
    const { random, rates } = this;
    return new Promise((resolve, reject) => {
      if (random.chance(rates.lostCall)) {
        this.later(TIMEOUT_MS, process, () => reject(unknown()));
        return;
      }
      this.time.after(random.next() * LONGEST_MS, () => {
        const store = this.storeOf(partition);
        const reply = serve(store);
        this.onServed();
        if (random.chance(rates.serverDeath)) {
          store.lose(random.below(LOST_WRITES + 1));
          this.onServed();
          this.later(TIMEOUT_MS, process, () => reject(unknown()));
          return;
        }
        if (random.chance(rates.lostReply)) {
          this.later(TIMEOUT_MS, process, () => reject(unknown()));
          return;
        }
        store.keep();
        this.later(random.next() * LONGEST_MS, process, () => resolve(reply));
      });
      if (random.chance(rates.twice)) this.again(partition, serve);
    });
  }

  /** Reads a partition; what was read may be lost again by a server that dies. */
  look<Reply>(
    process: SimulatedProcess,
    partition: number,
    serve: (store: SimulatedPartition) => Reply,
  ): Promise<Reply> {
    const { random, rates } = this;
    return new Promise((resolve, reject) => {
      const isLost = random.chance(rates.lostCall + rates.lostReply);
      this.time.after(random.next() * LONGEST_MS, () => {
        const reply = serve(this.storeOf(partition));
        const delayMs = isLost ? TIMEOUT_MS : random.next() * LONGEST_MS;
        this.later(delayMs, process, () => (isLost ? reject(unknown()) : resolve(reply)));
      });
    });
  }

  private again<Reply>(partition: number, serve: (store: SimulatedPartition) => Reply): void {
    this.time.after(this.random.next() * LATEST_MS, () => {
      serve(this.storeOf(partition));
      this.onServed();
    });
  }

  private later(delayMs: number, process: SimulatedProcess, answer: () => void): void {
    this.time.after(delayMs, () => {
      if (!process.isDead) answer();
    });
  }

  private storeOf(partition: number): SimulatedPartition {
    const store = this.partitions[partition];
    if (store === undefined) throw new RangeError(`no partition ${partition}`);
    return store;
  }
}

function unknown(): Refusal {
  return new Refusal('LEDGER_UNAVAILABLE', 'the ledger did not answer');
}
