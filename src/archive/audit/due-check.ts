import type { Write } from '../../ledger/event-format.ts';
import type { RecordImage } from './apply-write.ts';
import type { Check } from './check.ts';
import { isHead, orderHead } from './order-head.ts';

/** The due set holds exactly the reserved orders, each with the time its head tells, after every event. */
export class DueCheck {
  private readonly holds: Check;
  private readonly orders: ReadonlyMap<string, RecordImage>;
  private readonly due: RecordImage;

  constructor(holds: Check, orders: ReadonlyMap<string, RecordImage>, due: RecordImage) {
    this.holds = holds;
    this.orders = orders;
    this.due = due;
  }

  /** Looks at the orders an event touched, with `writes` already carried out on the images. */
  check(writes: readonly Write[], place: string): void {
    const touched = writes.flatMap(({ target, id, fields }) => {
      if (target === 'due') return fields.map(({ field }) => field.toString('latin1'));
      return target === 'order' && fields.some(({ field }) => isHead(field)) ? [id] : [];
    });
    for (const id of new Set(touched)) {
      const head = orderHead(this.orders.get(id));
      const expected = head?.state === 'reserved' && head.dueAtMs > 0 ? String(head.dueAtMs) : undefined;
      const seen = this.due.get(id);
      this.holds.require(seen === expected, () => {
        return `${place} leaves order ${id} due at ${seen ?? 'no time'}, its head says ${expected ?? 'never'}`;
      });
    }
  }
}
