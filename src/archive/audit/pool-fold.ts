import type { LedgerEntry, LedgerEvent, Write } from '../../ledger/event-format.ts';
import { applyWrite, type RecordImage } from './apply-write.ts';
import type { Check } from './check.ts';

/** Fields of a pool: the counter it is about, if it is not the coupons, and the figure. */
const FIGURE = /^(?:(.+):)?(q|t|[gb]\d+)$/;

/** What one pool holds of one quantity. */
interface PoolFigures {
  readonly limit: number | undefined;
  /** Units with partitions, as the pool counts them. */
  readonly total: number;
  /** The same by what each partition was granted and gave back. */
  readonly out: number;
}

/** Replays the events of pools, by ref in decimal, and checks I1 at every single one. */
export class PoolFold {
  private readonly images = new Map<string, Map<string, string>>();
  private readonly stock: Check;
  private readonly isWhole: boolean;

  /** @param isWhole false when the log does not reach back to the start, where what was lent before is not known */
  constructor(stock: Check, isWhole: boolean) {
    this.stock = stock;
    this.isWhole = isWhole;
  }

  /** The records after the last entry added. */
  get records(): ReadonlyMap<string, RecordImage> {
    return this.images;
  }

  /** Adds the next entry. */
  add(seq: number, entry: LedgerEntry): void {
    for (const [index, event] of entry.events.entries()) {
      for (const write of event.writes) if (write.target === 'pool') this.apply(seq, event, write, index);
    }
  }

  private apply(seq: number, event: LedgerEvent, write: Write, index: number): void {
    const image = this.images.get(write.id) ?? new Map<string, string>();
    this.images.set(write.id, image);
    applyWrite(image, write, seq);
    if (event.kind !== 'leased' || !this.isWhole) return;
    const touched = new Set(
      write.fields.map(({ field }) => FIGURE.exec(field.toString('latin1'))?.[1] ?? ''),
    );
    for (const counter of touched) this.check(image, counter, `event ${seq}:${index}`, write.id);
  }

  /** A quantity may fall below what is lent; nothing is lent then until enough has come back. */
  private check(image: RecordImage, counter: string, place: string, ref: string): void {
    const { limit, total, out } = figuresOf(image, counter);
    const what = counter === '' ? 'coupons' : `counter ${counter}`;
    this.stock.count('leases');
    this.stock.require(total === out, () => {
      return `${place} counts ${total} ${what} of promotion ${ref} as lent, partitions have ${out}`;
    });
    this.stock.require(limit === undefined || total <= limit, () => {
      return `${place} lends ${total} of ${limit} ${what} of promotion ${ref}`;
    });
  }
}

function figuresOf(image: RecordImage, counter: string): PoolFigures {
  let limit: number | undefined;
  let total = 0;
  let out = 0;
  for (const [name, text] of image) {
    const [, of = '', figure = ''] = FIGURE.exec(name) ?? [];
    if (of !== counter) continue;
    if (figure === 'q') limit = text === '' ? undefined : Number(text);
    else if (figure === 't') total = Number(text);
    else if (figure.startsWith('g')) out += Number(text);
    else if (figure.startsWith('b')) out -= Number(text);
  }
  return { limit, total, out };
}
