/** The servers of the ledger as a process is connected to them, and what they are known to keep. */
import type { Redis } from 'ioredis';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { connectLedger } from './connection.ts';
import { DURABILITY_UNREAD, type Durability } from './durability.ts';
import { LedgerNode } from './ledger-node.ts';
import * as limits from './limits.ts';
import { PartitionNodes } from './partition-nodes.ts';
import { type Connect, Topology, type TopologySettings } from './topology.ts';

/** How to reach them. */
export interface ServerSettings extends TopologySettings {
  /** The operator vouches for `appendfsync always` where the server does not show its settings. */
  readonly isFsyncVouchedFor: boolean;
}

/** What they need from outside. */
export interface LedgerServersPorts {
  readonly settings: ServerSettings;
  readonly metrics: Pick<Metrics, 'ledgerDurable'>;
  readonly logger: Logger;
  /** Opens a connection under a name; absent: one over the network. */
  readonly connect?: Connect;
}

/** See the module's comment. */
export class LedgerServers {
  readonly topology: Topology;
  /** The server of each partition. */
  readonly nodes: PartitionNodes<LedgerNode>;
  private readonly ports: LedgerServersPorts;
  private durabilityTimer: NodeJS.Timeout | undefined;

  constructor(ports: LedgerServersPorts) {
    const { settings, connect = connectLedger } = ports;
    this.ports = ports;
    this.topology = new Topology(settings, connect);
    this.nodes = new PartitionNodes(this.topology, {
      open: (url) => this.openNode(url),
      close: (node) => node.close(),
    });
  }

  /** Waits for them, up to `timeoutMs`, and reads what they keep, now and every few seconds. */
  async start(timeoutMs: number): Promise<void> {
    await this.topology.start();
    await Promise.all(this.nodes.all().map((node) => node.start(timeoutMs)));
    this.durabilityTimer = setInterval(() => this.checkDurability(), limits.DURABILITY_CHECK_MS);
  }

  /** What they keep, as last read: the least of them. */
  get durability(): Durability {
    const all = this.nodes.all().map(({ durability }) => durability);
    return all.find(({ isDurable }) => !isDurable) ?? all[0] ?? DURABILITY_UNREAD;
  }

  /** What they keep is read no more. */
  stopWatching(): void {
    clearInterval(this.durabilityTimer);
  }

  /** Closes the connections at once. */
  close(): void {
    this.nodes.close();
    this.topology.close();
  }

  private openNode(url: string): LedgerNode {
    const { partitions, isFsyncVouchedFor } = this.ports.settings;
    const isShared = partitions > 1;
    return new LedgerNode({
      connect: (name) => this.connect(url, name),
      claimConnections: isShared ? limits.SHARED_CLAIM_CONNECTIONS : limits.BATCHES_IN_FLIGHT,
      transactionConnections: isShared
        ? limits.SHARED_TRANSACTION_CONNECTIONS
        : limits.TRANSACTION_CALLS_IN_FLIGHT,
      isFsyncVouchedFor,
      onDurability: (durability) => this.reportDurability(durability),
    });
  }

  private connect(url: string, name: string): Redis {
    const { settings, logger, connect = connectLedger } = this.ports;
    const redis = connect({ ...settings, url }, name);
    redis.on('error', (error: Error) =>
      logger.warn(
        { event: LOG_EVENTS.ledgerConnection, connection: name, cause: error.message },
        'no connection to the ledger',
      ),
    );
    return redis;
  }

  private checkDurability(): void {
    for (const node of this.nodes.all()) void node.checkDurability();
  }

  private reportDurability({ isDurable, reason }: Durability): void {
    const line = { event: LOG_EVENTS.ledgerDurability, isDurable, reason };
    if (isDurable) this.ports.logger.info(line, 'the ledger keeps what it acknowledges');
    else
      this.ports.logger.warn(
        line,
        'the ledger is not durable: DURABLE promotions do not get what they ask for',
      );
    this.ports.metrics.ledgerDurable.value = this.durability.isDurable ? 1 : 0;
  }
}
