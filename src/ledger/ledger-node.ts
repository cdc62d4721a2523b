/**
 * The connections of this process to one server of the ledger: a lane each for claims, transactions, other writes, reads and
 * questions about the server.
 */
import type { Redis } from 'ioredis';
import { awaitReady } from './connection.ts';
import { DURABILITY_UNREAD, type Durability, readDurability } from './durability.ts';
import * as limits from './limits.ts';
import { ScriptConnections } from './script-connections.ts';

/** How to connect, and how many connections the lanes of scripts have. */
export interface LedgerNodePorts {
  connect(name: string): Redis;
  readonly claimConnections: number;
  readonly transactionConnections: number;
  readonly isFsyncVouchedFor: boolean;
  /** Hears what was read of the server's settings, when it differs from before. */
  onDurability(durability: Durability): void;
}

/** One server; see the module's comment. */
export class LedgerNode {
  /** Asks the server what it keeps. */
  private readonly watcher: Redis;
  /** Reads, so that a long one never waits in front of a claim. */
  readonly reader: Redis;
  readonly claims: ScriptConnections;
  readonly transactions: ScriptConnections;
  /** Definitions and single writes. */
  readonly writes: ScriptConnections;
  private readonly ports: LedgerNodePorts;
  private current: Durability = DURABILITY_UNREAD;
  private retryTimer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(ports: LedgerNodePorts) {
    this.ports = ports;
    this.watcher = ports.connect('hongbao-ledger-watch');
    this.reader = ports.connect('hongbao-ledger-read');
    this.claims = this.lane('hongbao-ledger-claim', ports.claimConnections);
    this.transactions = this.lane('hongbao-ledger-transact', ports.transactionConnections);
    this.writes = this.lane('hongbao-ledger-write', limits.SINGLE_WRITES_IN_FLIGHT);
    this.watcher.on('ready', () => void this.checkDurability());
  }

  /** What the server keeps, as last read. */
  get durability(): Durability {
    return this.current;
  }

  /** Waits for the server, up to `timeoutMs`, and reads what it keeps. */
  async start(timeoutMs: number): Promise<void> {
    await awaitReady(this.watcher, timeoutMs);
    await this.checkDurability();
  }

  /**
   * Reads again what the server keeps; what was known stays while it does not answer. While nothing is known yet it is asked
   * again soon: what has to be durable is refused until then.
   */
  async checkDurability(retryMs = limits.DURABILITY_RETRY_FIRST_MS): Promise<void> {
    const read = await readDurability(this.watcher, this.ports.isFsyncVouchedFor).catch(() => this.current);
    if (this.isClosed) return;
    if (read !== DURABILITY_UNREAD) this.learn(read);
    else if (this.current === DURABILITY_UNREAD) this.checkAgain(retryMs);
  }

  private learn(read: Durability): void {
    const isNews = read.isDurable !== this.current.isDurable || this.current === DURABILITY_UNREAD;
    this.current = read;
    if (isNews) this.ports.onDurability(read);
  }

  private checkAgain(afterMs: number): void {
    const nextMs = Math.min(afterMs * 2, limits.DURABILITY_RETRY_LONGEST_MS);
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => void this.checkDurability(nextMs), afterMs);
  }

  /** Closes the connections at once. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.retryTimer);
    this.watcher.disconnect();
    this.reader.disconnect();
    this.claims.disconnect();
    this.transactions.disconnect();
    this.writes.disconnect();
  }

  private lane(name: string, count: number): ScriptConnections {
    return new ScriptConnections(Array.from({ length: count }, () => this.ports.connect(name)));
  }
}
