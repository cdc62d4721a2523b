import type { LedgerEvent, TargetClass, Write } from '../ledger/event-format.ts';
import type { DecodedEntry } from './decoded-entry.ts';
import { UnprojectableError } from './event-place.ts';
import { ProjectionFold } from './fold-projection.ts';
import type { FoldedBatch, LogRow, QuarantineRow } from './projection.ts';

/** What is known about a batch beside its entries. */
export interface FoldContext {
  /** Events of the partition before the batch. */
  readonly eventsTotal: number;
  /** Subjects with an event in quarantine: their later events queue behind it. */
  readonly blockedSubjects: ReadonlySet<string>;
  /** Events the database refused, by {@link eventKey}, with what it said. */
  readonly refused?: ReadonlyMap<string, string>;
}

/** Names one event of the stream. */
export function eventKey(seq: number, eventIndex: number): string {
  return `${seq}:${eventIndex}`;
}

/** Records that belong to a promotion and are named by its ref. */
export const OF_PROMOTIONS: ReadonlySet<TargetClass> = new Set(['promotion', 'usage', 'pool']);

/** Whose state an event changes: events of one subject keep their order, events of different ones need not. */
export function subjectOf(event: LedgerEvent): string {
  const user = userOfEvent(event);
  if (user !== undefined) return `user:${user}`;
  const promotion = event.writes.find(({ target }) => OF_PROMOTIONS.has(target));
  return promotion === undefined ? '' : `promotion:${promotion.id}`;
}

/** The user an event is about; undefined when it is about none. */
export function userOfEvent(event: LedgerEvent): string | undefined {
  return event.writes.map(userOfWrite).find((userId) => userId !== undefined);
}

function userOfWrite({ target, id }: Write): string | undefined {
  if (target === 'order') return id.split('/')[0];
  return target === 'wallet' || target === 'account' ? id : undefined;
}

/** Subject of an entry that cannot be read: whoever it is about. */
export const UNKNOWN_SUBJECT = '';
const WHOLE_ENTRY = -1;

/**
 * Folds a batch of entries, in stream order, into the rows one statement writes. Pure, and never throws: an event that
 * cannot be projected goes to quarantine, and with it every later event of its subject.
 */
export function foldEntries(entries: readonly DecodedEntry[], context: FoldContext): FoldedBatch {
  const fold = new BatchFold(context);
  for (const entry of entries) fold.addEntry(entry);
  return fold.result();
}

class BatchFold {
  private readonly projection = new ProjectionFold();
  private readonly log: LogRow[] = [];
  private readonly quarantine: QuarantineRow[] = [];
  private readonly blocked: Set<string>;
  private readonly refused: ReadonlyMap<string, string>;
  private eventsTotal: number;

  constructor(context: FoldContext) {
    this.blocked = new Set(context.blockedSubjects);
    this.refused = context.refused ?? new Map();
    this.eventsTotal = context.eventsTotal;
  }

  addEntry(entry: DecodedEntry): void {
    if (entry.kind === 'corrupt') {
      this.addCorrupt(entry.seq, entry.payload, entry.fault);
      return;
    }
    const { events, timeMs, eventsTotal } = entry.entry;
    const waitingBefore = this.quarantine.length;
    events.forEach((event, eventIndex) => {
      this.addEvent(event, entry.seq, eventIndex, timeMs);
    });
    this.eventsTotal = eventsTotal;
    const isProjected = this.quarantine.length === waitingBefore;
    this.log.push({ seq: entry.seq, timeMs, eventCount: events.length, payload: entry.payload, isProjected });
  }

  result(): FoldedBatch {
    return {
      ...this.projection.result(),
      log: this.log,
      quarantine: this.quarantine,
      eventsTotal: this.eventsTotal,
    };
  }

  private addCorrupt(seq: number, payload: Buffer, fault: string): void {
    // Its own time cannot be read; the entry before it is the nearest known one.
    const timeMs = this.log.at(-1)?.timeMs ?? 0;
    this.log.push({ seq, timeMs, eventCount: 0, payload, isProjected: false });
    this.quarantine.push({ seq, eventIndex: WHOLE_ENTRY, subject: UNKNOWN_SUBJECT, error: fault });
  }

  private addEvent(event: LedgerEvent, seq: number, eventIndex: number, timeMs: number): void {
    const subject = subjectOf(event);
    const error = this.faultOf(event, subject, seq, eventIndex, timeMs);
    if (error === undefined) return;
    if (subject !== UNKNOWN_SUBJECT) this.blocked.add(subject);
    this.quarantine.push({ seq, eventIndex, subject, error });
  }

  private faultOf(
    event: LedgerEvent,
    subject: string,
    seq: number,
    eventIndex: number,
    timeMs: number,
  ): string | undefined {
    const refused = this.refused.get(eventKey(seq, eventIndex));
    if (refused !== undefined) return refused;
    if (this.blocked.has(subject)) return 'waits behind an earlier event of its subject';
    try {
      this.projection.add(event, { seq, eventIndex, timeMs });
      return undefined;
    } catch (error) {
      if (!(error instanceof UnprojectableError)) throw error;
      return error.message;
    }
  }
}
