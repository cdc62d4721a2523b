/** The way from one archive process to the simulated Postgres, with what goes wrong on it. */
import { UnknownOutcomeError } from '../../../src/archive/archive-client.ts';
import type { ArchiveStore } from '../../../src/archive/archive-store.ts';
import type { Fence } from '../../../src/archive/flush.ts';
import type { Lease } from '../../../src/archive/lease.ts';
import type { PartitionId, StreamEntry } from '../../../src/archive/ledger-port.ts';
import type { FoldedBatch } from '../../../src/archive/projection.ts';
import type { OpenQuarantine } from '../../../src/archive/quarantine.ts';
import type { VirtualTime } from '../time/virtual-time.ts';
import type { Link } from '../world/link.ts';
import { NETWORK } from '../world/redis-site.ts';
import type { MemoryArchive } from './memory-archive.ts';

/** The simulated Postgres: its data, and whether it can be reached. */
export interface PostgresSite {
  readonly archive: MemoryArchive;
  isUp: boolean;
}

/** How long the archiver waits for a statement, in milliseconds: shorter than in life, as schedules are. */
const WAIT_MS = 100;

/** See the module's comment. */
export class ArchiveLink implements ArchiveStore {
  private readonly time: VirtualTime;
  private readonly site: PostgresSite;
  private readonly link: Link;
  private readonly owner: string;

  constructor(time: VirtualTime, site: PostgresSite, link: Link, owner: string) {
    this.time = time;
    this.site = site;
    this.link = link;
    this.owner = owner;
  }

  ensureCursor(_id: PartitionId): Promise<void> {
    return this.run(() => undefined);
  }

  takeLease(_id: PartitionId, owner: string, leaseMs: number): Promise<Lease | undefined> {
    return this.run((archive) => archive.takeLease(owner, leaseMs));
  }

  renewLease(_id: PartitionId, epoch: number, leaseMs: number): Promise<Lease | undefined> {
    return this.run((archive) => archive.renewLease(epoch, leaseMs));
  }

  giveBackLease(_id: PartitionId, epoch: number): Promise<void> {
    return this.run((archive) => archive.giveBackLease(epoch));
  }

  readCursorPayload(_id: PartitionId): Promise<Buffer | undefined> {
    return this.run(({ cursor }) => cursor.payload);
  }

  readLog(_id: PartitionId, after: number, limit: number): Promise<StreamEntry[]> {
    return this.run((archive) => archive.readLog(after, limit));
  }

  flush(fence: Fence, batch: FoldedBatch): Promise<boolean> {
    return this.run((archive) => archive.flush(fence, batch));
  }

  /** Only batches that Postgres refuses are tried, and here nothing is wrong with any. */
  tryFlush(): Promise<string | undefined> {
    return Promise.resolve('refused');
  }

  readOpenQuarantine(_id: PartitionId): Promise<OpenQuarantine> {
    return this.run(() => ({ subjects: new Set<string>(), events: 0 }));
  }

  reproject(): Promise<number> {
    return Promise.resolve(0);
  }

  ensureSegments(): Promise<void> {
    return this.run(() => undefined);
  }

  private run<Result>(statement: (archive: MemoryArchive) => Result): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const { time, link, owner, site } = this;
    const fault = link.next();
    if (fault?.fate === 'crash-before') {
      link.die();
      return promise;
    }
    const isSlow = fault?.fate === 'late' || fault?.fate === 'slow';
    const isHeard = fault?.fate !== 'drop-reply' && fault?.fate !== 'crash-after';
    time.schedule(WAIT_MS, () => reject(new UnknownOutcomeError('no answer in time')), owner);
    if (fault?.fate === 'drop-request') return promise;
    const arrive = (): void => {
      if (!site.isUp) {
        time.schedule(link.delayMs(), () => reject(new Error('connection refused')), owner);
        return;
      }
      const end = outcomeOf(() => statement(site.archive));
      if (fault?.fate === 'crash-after') link.die();
      if (!isHeard) return;
      time.schedule(link.delayMs(), () => ('error' in end ? reject(end.error) : resolve(end.value)), owner);
    };
    time.schedule(isSlow ? fault.forMs : link.delayMs(), arrive, NETWORK);
    return promise;
  }
}

type End<Result> = { readonly value: Result } | { readonly error: unknown };

function outcomeOf<Result>(statement: () => Result): End<Result> {
  try {
    return { value: statement() };
  } catch (error) {
    return { error };
  }
}
