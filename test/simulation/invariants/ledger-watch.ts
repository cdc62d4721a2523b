/** Looks at every call that writes to Redis, and at every batch that is archived: the invariants of each prefix of the history. */

import type { Fence } from '../../../src/archive/flush.ts';
import type { FoldedBatch } from '../../../src/archive/projection.ts';
import { decodeEntry, issuesCoupons, type LedgerEvent } from '../../../src/ledger/event-format.ts';
import { partitionKeys } from '../../../src/ledger/keys.ts';
import type { MemoryArchive } from '../archive/memory-archive.ts';
import { bufferOf, unpack } from '../redis/bytes.ts';
import { type Change, type Entry, Keyspace } from '../redis/keyspace.ts';
import type { LossCause } from '../world/redis-site.ts';
import { checkCoupons, checkTransition, checkUses, headOf } from './order-rules.ts';
import { applyEvent, dumpRecord } from './shadow.ts';
import { hold, Violation } from './violation.ts';

const KEYS = partitionKeys(0);
const PER_USER_LIMIT_AT = 7;

/** Entries that are no longer in Redis. */
export interface Loss {
  readonly atMs: number;
  readonly cause: LossCause;
  readonly entries: readonly Entry[];
}

/** What the watch looks at. */
export interface Watched {
  readonly keyspace: Keyspace;
  readonly archive: MemoryArchive;
  /** How often promotions may be used, by ref. */
  readonly mostUses: ReadonlyMap<number, number>;
  readonly nowMs: () => number;
}

/** See the module's comment. The first violation is kept; nothing is thrown into the code that runs. */
export class LedgerWatch {
  violation: Violation | undefined;
  readonly losses: Loss[] = [];
  private readonly watched: () => Watched;
  private readonly shadow = new Keyspace();

  /** @param watched is asked when something has happened, so that it may be made after the watch */
  constructor(watched: () => Watched) {
    this.watched = watched;
  }

  /** A call wrote something. */
  changed(change: Change): void {
    this.guard(() => {
      if (change.entry !== undefined) this.checkEntry(change.entry);
      this.checkRecords(change);
      this.checkTrim(change);
    });
    this.shadow.commit(true);
  }

  /** Redis went back. */
  lost(entries: readonly Entry[], length: number, cause: LossCause): void {
    this.shadow.rollback(length);
    if (entries.length > 0) this.losses.push({ atMs: this.watched().nowMs(), cause, entries });
  }

  /** A batch is about to be archived with this outcome. */
  flushed(fence: Fence, batch: FoldedBatch, epoch: number, before: number): void {
    this.guard(() => {
      hold(
        'I11',
        fence.lease.epoch === epoch,
        () => `epoch ${fence.lease.epoch} moved the cursor of epoch ${epoch}`,
      );
      batch.log.forEach(({ seq, payload }, index) => {
        hold('I7', seq === before + 1 + index, () => `entry ${seq} was archived after ${before + index}`);
        const live = this.entryAt(seq);
        hold(
          'I7',
          live === undefined || bufferOf(live.payload).equals(payload),
          () => `fork: entry ${seq} was archived, and Redis has another`,
        );
      });
      hold('I6', batch.quarantine.length === 0, () => `quarantined: ${batch.quarantine[0]?.error}`);
    });
  }

  private entryAt(seq: number): Entry | undefined {
    const entries = this.watched().keyspace.stream(KEYS.stream)?.entries ?? [];
    const first = entries[0];
    return first === undefined ? undefined : entries[seq - first.seq];
  }

  private checkEntry({ seq, payload }: Entry): void {
    const { archive } = this.watched();
    const entries = this.watched().keyspace.stream(KEYS.stream)?.entries ?? [];
    const previous = entries.at(-2);
    hold(
      'I7',
      previous === undefined || seq === previous.seq + 1,
      () => `entry ${seq} follows ${previous?.seq}`,
    );
    const archived = archive.log.get(seq);
    const bytes = bufferOf(payload);
    hold('I7', archived === undefined || archived.equals(bytes), () => `fork: entry ${seq} was written anew`);
    const { events, timeMs } = decodeEntry(bytes);
    for (const event of events) this.checkEvent(event, seq, timeMs, archived !== undefined);
  }

  private checkEvent(event: LedgerEvent, seq: number, timeMs: number, isReplayed: boolean): void {
    const orders = event.writes.filter(
      ({ target, fields }) => target === 'order' && fields.some(({ field }) => field.toString() === 'h'),
    );
    const before = orders.map(({ id }) => headOf(this.shadow, id));
    applyEvent(this.shadow, event, seq);
    if (isReplayed) return;
    if (issuesCoupons(event.kind)) this.checkIssue(event);
    orders.forEach(({ id }, index) => {
      const after = headOf(this.shadow, id);
      if (after === undefined) throw new Violation('I10', `order ${id} lost its head`);
      checkTransition(id, before[index], after, timeMs);
      checkCoupons(this.shadow, id, after);
    });
    const isOpening = event.kind === 'reserved' || event.kind === 'used';
    if (orders.length > 0) checkUses(this.shadow, this.watched().mostUses, isOpening);
  }

  private checkIssue({ writes }: LedgerEvent): void {
    for (const { target, id, fields } of writes) {
      if (target === 'promotion') {
        const key = KEYS.promotionPrefix + id;
        const [issued, received] = [this.shadow.field(key, 'issued'), this.shadow.field(key, 'received')];
        hold(
          'I1',
          !received || Number(issued) <= Number(received),
          () => `promotion ${id}: ${issued} issued of ${received}`,
        );
      } else if (target === 'wallet') {
        for (const { field, value } of fields) {
          if (field.length !== 5 || field[0] !== 0x23) continue;
          const ref = field.readUInt32BE(1);
          const limit = unpack(
            this.shadow.field(KEYS.promotionPrefix + ref, 'd') ?? '',
            PER_USER_LIMIT_AT,
            4,
          );
          hold(
            'I9',
            limit === 0 || Number(value) <= limit,
            () => `user ${id} has ${value} of promotion ${ref}, limit ${limit}`,
          );
        }
      }
    }
  }

  /** I6: what a call wrote is what its event says. */
  private checkRecords({ keys }: Change): void {
    const { keyspace } = this.watched();
    for (const key of keys) {
      if (key === KEYS.stream || key === KEYS.meta) continue;
      const [real, told] = [dumpRecord(keyspace, key), dumpRecord(this.shadow, key)];
      hold('I6', real === told, () => `${key} holds ${real}, its events say ${told}`);
    }
  }

  /** I8: what is not archived, and the entry at the cursor, is never trimmed. */
  private checkTrim({ entry, keys }: Change): void {
    if (entry !== undefined || !keys.has(KEYS.stream)) return;
    const { keyspace, archive } = this.watched();
    const first = keyspace.stream(KEYS.stream)?.entries[0]?.seq;
    hold(
      'I8',
      first !== undefined && first <= archive.cursor.seq,
      () => `trimmed up to ${first}, the cursor is ${archive.cursor.seq}`,
    );
  }

  private guard(check: () => void): void {
    if (this.violation !== undefined) return;
    try {
      check();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.violation = error;
    }
  }
}
