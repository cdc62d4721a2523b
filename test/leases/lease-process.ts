/** A process of the service in a simulation: a coordinator whose calls go over the simulated network. */
import { homePartition } from '../../src/ledger/keys.ts';
import { LeaseCoordinator } from '../../src/ledger/leases/lease-coordinator.ts';
import type { CoordinatorPorts } from '../../src/ledger/leases/lease-ports.ts';
import type { Fields } from '../../src/ledger/leases/lease-shape.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedNetwork, SimulatedProcess } from './simulated-network.ts';
import { REF } from './simulated-stock.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What goes wrong in the product itself; absent: nothing. */
export interface Mutation {
  /** Changes a transaction on its way. */
  readonly transaction?: (transaction: Transaction) => Transaction;
  /** Changes what is read of a partition. */
  readonly record?: (fields: Fields, partition: number) => Fields;
  /** Definitions come to the pool's partition last. */
  readonly definesHomeLast?: boolean;
  /** Leases stay as they are when the quantity falls. */
  readonly keepsLeases?: boolean;
  /** The unit of a coupon that is taken back stays with its partition. */
  readonly keepsRevokedUnits?: boolean;
}

/** Everything simulated processes share. */
export interface SimulatedSurroundings {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  readonly partitions: number;
  readonly mutation: Mutation;
  /** How old "nothing is left" may be, ms. */
  readonly hintMs: number;
}

/** See the module's comment. */
export class LeaseProcess implements SimulatedProcess {
  isDead = false;
  readonly coordinator: LeaseCoordinator;
  /** Resolves when it dies. */
  readonly gone: Promise<void>;
  private readonly end: () => void;

  constructor(surroundings: SimulatedSurroundings) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    this.end = resolve;
    this.coordinator = new LeaseCoordinator(this.portsOf(surroundings));
  }

  /** Nothing it has begun goes on, but what it has sent may still arrive. */
  die(): void {
    this.isDead = true;
    this.end();
  }

  private portsOf({
    time,
    random,
    network,
    partitions,
    mutation,
    hintMs,
  }: SimulatedSurroundings): CoordinatorPorts {
    const { transaction: mutate = (same: Transaction) => same, record: see = (same: Fields) => same } =
      mutation;
    return {
      partitions,
      hintMs,
      readPool: (on) => network.look(this, homePartition(REF, partitions), (store) => store.read(on)),
      readPartition: (partition, on) =>
        network.look(this, partition, (store) => see(store.read(on), partition)),
      transactAt: (partition, transaction) =>
        network.call(this, partition, (store) => store.transact(mutate(transaction), time.nowMs)),
      ensureDefined: () => Promise.resolve(),
      pause: (ms) => time.sleep(ms),
      nowMs: () => time.nowMs,
      random: () => random.next(),
      called: () => {},
      moved: () => {},
      ended: () => {},
    };
  }
}
