/** Holds the leases of partitions while they are rebuilt: no archive process moves their cursors or opens their gates. */

import { LeaseKeeper } from '../lease-keeper.ts';
import type { PartitionId } from '../ledger-port.ts';
import { REBUILD_LEASE_MS } from '../limits.ts';
import { type RebuildPorts, RebuildRefused } from './rebuild-ports.ts';

const RENEWALS_PER_LEASE = 3;

/** See the module's comment. */
export class HeldPartitions {
  private readonly keepers: readonly LeaseKeeper[];
  private readonly timer: NodeJS.Timeout;
  private renewal: Promise<void> = Promise.resolve();
  private loss: unknown;

  private constructor(keepers: readonly LeaseKeeper[]) {
    this.keepers = keepers;
    this.timer = setInterval(() => this.renew(), REBUILD_LEASE_MS / RENEWALS_PER_LEASE);
  }

  /** Takes all of them. Throws {@link RebuildRefused} when one is somebody's. */
  static async take(ports: RebuildPorts, ids: readonly PartitionId[]): Promise<HeldPartitions> {
    const { client, owner, nowMs } = ports;
    const keepers: LeaseKeeper[] = [];
    for (const id of ids) {
      const keeper = new LeaseKeeper(client, { id, owner, leaseMs: REBUILD_LEASE_MS }, nowMs);
      if ((await keeper.hold()) === undefined) {
        for (const held of keepers) await held.giveBack();
        throw new RebuildRefused(await heldBy(ports, id));
      }
      keepers.push(keeper);
    }
    return new HeldPartitions(keepers);
  }

  /** The lease of a partition. */
  of(partition: number): LeaseKeeper {
    const keeper = this.keepers.find(({ terms }) => terms.id.partition === partition);
    if (keeper === undefined) throw new RangeError(`partition ${partition} is not held`);
    return keeper;
  }

  /** Throws when one was lost, or Postgres is away: then somebody else may work on it. */
  require(): void {
    if (this.loss !== undefined) throw this.loss;
  }

  /** Lets others in. */
  async giveBack(): Promise<void> {
    clearInterval(this.timer);
    await this.renewal;
    for (const keeper of this.keepers) await keeper.giveBack();
  }

  private renew(): void {
    this.renewal = this.renewal.then(async () => {
      try {
        for (const keeper of this.keepers) await keeper.confirm();
      } catch (error) {
        this.loss ??= error;
      }
    });
  }
}

async function heldBy({ sql }: RebuildPorts, { generation, partition }: PartitionId): Promise<string> {
  const [row] = await sql<{ owner: string | null; left: number }[]>`
    SELECT owner, ceil(extract(epoch FROM lease_until - clock_timestamp()))::integer AS left FROM ledger_cursor
    WHERE generation = ${generation} AND partition = ${partition}`;
  return (
    `partition ${partition} is being archived by ${row?.owner ?? 'somebody'}: stop all archive processes ` +
    `(one that was killed lets go in ${row?.left ?? 0} s) and try again`
  );
}
