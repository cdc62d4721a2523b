/** I10: an order is held, then used or let go, and money goes back at most once. */
import type { Redemption, RedemptionState } from '../../../../src/domain/redemption.ts';
import type { EventKind } from '../../../../src/ledger/event-format.ts';
import type { Observer } from '../state/replay.ts';
import type { Findings } from '../violation.ts';
import type { HeadChange, HeadVersion, OrderBook } from './order-book.ts';

type From = RedemptionState | 'nothing';

/** From which states an event of a kind may bring an order to which. */
const STEPS: Partial<
  Record<EventKind, { readonly from: readonly From[]; readonly to: readonly RedemptionState[] }>
> = {
  reserved: { from: ['nothing', 'released', 'expired'], to: ['reserved'] },
  used: { from: ['nothing', 'released', 'expired'], to: ['committed'] },
  committed: { from: ['reserved', 'expired'], to: ['committed'] },
  released: { from: ['reserved'], to: ['released'] },
  lapsed: { from: ['reserved'], to: ['expired'] },
  returned: { from: ['committed'], to: ['committed', 'returned'] },
  refunded: { from: ['committed', 'returned'], to: ['committed', 'returned'] },
};

const BEGINNINGS: ReadonlySet<EventKind> = new Set(['reserved', 'used']);

/** Holds every order to its state machine. */
export class ReservationCheck implements Observer {
  private readonly findings: Findings;
  private readonly orders: OrderBook;
  /** Reservation id → the first version that carried it. */
  private readonly begun = new Map<string, HeadVersion>();

  constructor(findings: Findings, orders: OrderBook) {
    this.findings = findings;
    this.orders = orders;
  }

  see(): void {
    for (const change of this.orders.justChanged) {
      this.checkStep(change);
      this.checkIdentity(change);
      this.checkTime(change);
      this.checkMoney(change);
    }
  }

  private fail(kind: string, text: string, { before, after }: HeadChange): void {
    this.findings.breach('I10', kind, text, { places: [before?.place, after.place] });
  }

  private checkStep(change: HeadChange): void {
    const { before, after } = change;
    const from = before?.head.state ?? 'nothing';
    const to = after.head.state;
    const step = STEPS[after.kind];
    this.findings.count('reservation steps');
    // An order that comes back from the archive, or a rebuilt ledger, shows itself in the state it had.
    if (before === undefined && (step === undefined || after.place.generation > 1)) return;
    const isStep = step === undefined ? from === to : step.from.includes(from) && step.to.includes(to);
    if (isStep) return;
    const name = `order ${after.orderId} of ${after.userId}`;
    this.fail('reservation-state', `${name} goes from ${from} to ${to} by an event "${after.kind}"`, change);
  }

  private checkIdentity(change: HeadChange): void {
    const { before, after } = change;
    const { reservationId } = after.head;
    const earlier = this.begun.get(reservationId);
    if (BEGINNINGS.has(after.kind) && earlier !== undefined) {
      const text = `reservation ${reservationId} of order ${after.orderId} begins twice`;
      this.findings.breach('I10', 'reserved-twice', text, { places: [earlier.place, after.place] });
    }
    if (earlier === undefined) this.begun.set(reservationId, after);
    const isKept =
      BEGINNINGS.has(after.kind) || before === undefined || before.head.reservationId === reservationId;
    if (!isKept)
      this.fail(
        'reservation-swapped',
        `order ${after.orderId} changes its reservation in the middle`,
        change,
      );
  }

  /** Holds end after their time, and not before it. */
  private checkTime(change: HeadChange): void {
    const { before, after } = change;
    if (after.kind !== 'lapsed' || before === undefined || after.timeMs > before.head.dueAtMs) return;
    const text = `order ${after.orderId} of ${after.userId} lapses at ${after.timeMs}, it is held until ${before.head.dueAtMs}`;
    this.fail('lapsed-early', text, change);
  }

  private checkMoney(change: HeadChange): void {
    const { head, orderId } = change.after;
    const over = head.lines.find((line) => line.returnedQuantity > line.quantity);
    if (over !== undefined) {
      const text = `order ${orderId} takes back ${over.returnedQuantity} of ${over.quantity} units of line ${over.lineId}`;
      this.fail('returned-too-many', text, change);
    }
    if (isNegative(head) || head.refundedMinor > head.payableMinor) {
      const text = `order ${orderId} gives back ${head.refundedMinor} of ${head.payableMinor}`;
      this.fail('refunded-too-much', text, change);
    }
  }
}

function isNegative({ payableMinor, refundedMinor, lines }: Redemption): boolean {
  return payableMinor < 0 || refundedMinor < 0 || lines.some((line) => line.payableMinor < 0);
}
