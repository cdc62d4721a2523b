import type { ArchiveStore } from './archive-store.ts';
import type { Lease, Level } from './lease.ts';
import type { PartitionId } from './ledger-port.ts';

/** Another process archives this partition now; nothing this process still sends has an effect. */
export class LostLeaseError extends Error {
  override readonly name = 'LostLeaseError';
}

/** Who wants the partition, and how long (ms) it keeps it without renewing. */
export interface LeaseTerms {
  readonly id: PartitionId;
  readonly owner: string;
  readonly leaseMs: number;
}

const RENEWALS_PER_LEASE = 3;

/** Holds the partition's lease for this process: takes it, renews it in time, notices when it is gone. */
export class LeaseKeeper {
  readonly terms: LeaseTerms;
  private readonly client: ArchiveStore;
  private readonly nowMs: () => number;
  private lease: Lease | undefined;
  private level: Level | undefined;
  private renewAtMs = 0;
  private hasRow = false;

  constructor(client: ArchiveStore, terms: LeaseTerms, nowMs: () => number) {
    this.client = client;
    this.terms = terms;
    this.nowMs = nowMs;
  }

  /** The lease with the cursor, renewed when due; undefined while another process holds the partition. */
  async hold(): Promise<Lease | undefined> {
    if (this.lease !== undefined && this.nowMs() < this.renewAtMs) return this.lease;
    this.keep(this.lease === undefined ? await this.take() : await this.renew(this.lease.epoch));
    return this.lease;
  }

  /** Renews now; throws {@link LostLeaseError} when the partition is another's. */
  async confirm(): Promise<Lease> {
    this.renewAtMs = 0;
    return this.require();
  }

  /** Renews when due; throws {@link LostLeaseError} when the partition is another's. */
  async require(): Promise<Lease> {
    if (this.lease === undefined) throw new LostLeaseError('the partition is not held');
    const lease = await this.hold();
    if (lease === undefined) throw new LostLeaseError('another process has taken the partition');
    return lease;
  }

  /** The cursor was moved by this process, in a statement that also renewed the lease. */
  advance(seq: number, eventsTotal: number): void {
    if (this.lease !== undefined) this.keep({ ...this.lease, seq, eventsTotal });
  }

  /** The stream ended at the cursor then; written down with the next renewal. */
  noteLevel(level: Level): void {
    this.level = level;
  }

  /** What became of the last statement is unknown: the cursor is read again before the next one. */
  doubt(): void {
    this.renewAtMs = 0;
  }

  /**
   * A batch sent under this lease may still be written, whatever became of its answer. The partition is taken anew, under
   * another epoch, so that it has no effect then: Redis may have lost what is in it and opened without it meanwhile.
   */
  renounce(): void {
    this.lease = undefined;
  }

  /** Lets the next process in at once. */
  async giveBack(): Promise<void> {
    const { lease } = this;
    this.lease = undefined;
    if (lease !== undefined) await this.client.giveBackLease(this.terms.id, lease.epoch);
  }

  private keep(lease: Lease | undefined): void {
    this.lease = lease;
    this.renewAtMs = this.nowMs() + this.terms.leaseMs / RENEWALS_PER_LEASE;
  }

  private async take(): Promise<Lease | undefined> {
    const { id, owner, leaseMs } = this.terms;
    if (!this.hasRow) await this.client.ensureCursor(id);
    this.hasRow = true;
    return this.client.takeLease(id, owner, leaseMs);
  }

  private renew(epoch: number): Promise<Lease | undefined> {
    return this.client.renewLease(this.terms.id, epoch, this.terms.leaseMs, this.level);
  }
}
