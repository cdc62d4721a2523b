/** The connections of this process to one server of the ledger: a lane each for claims, transactions, other writes and reads. */
import type { Redis } from 'ioredis';
import { awaitReady } from './connection.ts';
import { DURABILITY_UNREAD, type Durability, readDurability } from './durability.ts';
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
  /** Definitions and single writes. */
  readonly writer: Redis;
  /** Reads, so that a long one never waits in front of a claim. */
  readonly reader: Redis;
  readonly claims: ScriptConnections;
  readonly transactions: ScriptConnections;
  private readonly ports: LedgerNodePorts;
  private current: Durability = DURABILITY_UNREAD;

  constructor(ports: LedgerNodePorts) {
    this.ports = ports;
    this.writer = ports.connect('hongbao-ledger-write');
    this.reader = ports.connect('hongbao-ledger-read');
    this.claims = this.lane('hongbao-ledger-claim', ports.claimConnections);
    this.transactions = this.lane('hongbao-ledger-transact', ports.transactionConnections);
    this.writer.on('ready', () => void this.checkDurability());
  }

  /** What the server keeps, as last read. */
  get durability(): Durability {
    return this.current;
  }

  /** Waits for the server, up to `timeoutMs`, and reads what it keeps. */
  async start(timeoutMs: number): Promise<void> {
    await awaitReady(this.writer, timeoutMs);
    await this.checkDurability();
  }

  /** Reads again what the server keeps; what was known stays while it does not answer. */
  async checkDurability(): Promise<void> {
    const read = await readDurability(this.writer, this.ports.isFsyncVouchedFor).catch(() => this.current);
    const isNews = read.isDurable !== this.current.isDurable || this.current === DURABILITY_UNREAD;
    this.current = read;
    if (isNews) this.ports.onDurability(read);
  }

  /** Closes the connections at once. */
  close(): void {
    this.writer.disconnect();
    this.reader.disconnect();
    this.claims.disconnect();
    this.transactions.disconnect();
  }

  private lane(name: string, count: number): ScriptConnections {
    return new ScriptConnections(Array.from({ length: count }, () => this.ports.connect(name)));
  }
}
