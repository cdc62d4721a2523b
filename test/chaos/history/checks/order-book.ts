/** Every head an order ever had, in order, and what an event changed. Other checks read it. */
import { decodeRedemption, type Redemption } from '../../../../src/domain/redemption.ts';
import type { EventKind } from '../../../../src/ledger/event-format.ts';
import { ORDER_FIELDS } from '../../../../src/ledger/record-fields.ts';
import type { Observer, SeenEvent } from '../state/replay.ts';
import type { Findings, Place } from '../violation.ts';

/** An order's head as one event left it. */
export interface HeadVersion {
  readonly userId: string;
  readonly orderId: string;
  readonly head: Redemption;
  readonly kind: EventKind;
  readonly place: Place;
  readonly timeMs: number;
}

/** What an event made of a head. */
export interface HeadChange {
  readonly before: HeadVersion | undefined;
  readonly after: HeadVersion;
}

/** User and order in the id of an order's record. */
export function orderOfRecord(id: string): { readonly userId: string; readonly orderId: string } {
  const slash = id.indexOf('/');
  return { userId: id.slice(0, slash), orderId: id.slice(slash + 1) };
}

/** Follows orders. */
export class OrderBook implements Observer {
  private readonly findings: Findings;
  private readonly heads = new Map<string, HeadVersion[]>();
  private changes: HeadChange[] = [];

  constructor(findings: Findings) {
    this.findings = findings;
  }

  /** What the last event did to heads. */
  get justChanged(): readonly HeadChange[] {
    return this.changes;
  }

  /** Every version of an order's head, the first one first. */
  versions(userId: string, orderId: string): readonly HeadVersion[] {
    return this.heads.get(`${userId}/${orderId}`) ?? [];
  }

  /** Every order, with its versions. */
  get orders(): Iterable<readonly HeadVersion[]> {
    return this.heads.values();
  }

  see(event: SeenEvent): void {
    this.changes = [];
    for (const { target, id, fields } of event.writes) {
      if (target !== 'order') continue;
      const value = fields.find(({ name }) => name === ORDER_FIELDS.head.name)?.value;
      if (value !== undefined) this.change(event, id, value);
    }
  }

  private change({ place, timeMs, kind }: SeenEvent, id: string, value: string): void {
    const head = this.read(place, id, value);
    if (head === undefined) return;
    const versions = this.heads.get(id) ?? [];
    this.heads.set(id, versions);
    const after = { ...orderOfRecord(id), head, kind, place, timeMs };
    this.changes.push({ before: versions.at(-1), after });
    versions.push(after);
    this.findings.count('orders written');
  }

  private read(place: Place, id: string, value: string): Redemption | undefined {
    try {
      return decodeRedemption(Buffer.from(value, 'latin1'));
    } catch {
      this.findings.breach('I6', 'unreadable-order', `order ${id} cannot be read`, { places: [place] });
      return undefined;
    }
  }
}
