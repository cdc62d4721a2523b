import { COUPON_FIELD_BYTES, decodeCouponValue } from '../../domain/coupon.ts';
import { issuesCoupons, type LedgerEntry, type LedgerEvent, type Write } from '../../ledger/event-format.ts';
import { PROMOTION_FIELDS } from '../../ledger/record-fields.ts';
import { applyWrite } from './apply-write.ts';
import type { Check } from './check.ts';

/** The records of promotions as the events made them: fields by name, bytes as latin1 text. */
export type PromotionImages = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Replays the events of promotions and checks I1 at every single one. */
export class PromotionFold {
  private readonly images = new Map<string, Map<string, string>>();
  private readonly stock: Check;
  /** False when the log does not reach back to the start: a record's first figures are then taken as they come. */
  private readonly isWhole: boolean;
  /** The highest issued figure of a promotion, by ref, while no event has told its stock. */
  private readonly unjudged = new Map<string, number>();

  constructor(stock: Check, isWhole: boolean) {
    this.stock = stock;
    this.isWhole = isWhole;
  }

  /** The records after the last entry added. */
  result(): PromotionImages {
    return this.images;
  }

  /** Adds the next entry. */
  add(seq: number, entry: LedgerEntry): void {
    entry.events.forEach((event, index) => {
      if (issuesCoupons(event.kind)) this.checkIssue(event, `event ${seq}:${index}`);
      if (event.kind === 'defined') this.checkDefinition(event, `event ${seq}:${index}`);
      for (const write of event.writes) if (write.target === 'promotion') this.apply(seq, write);
    });
    this.stock.count('events', entry.events.length);
  }

  /**
   * Judges what was issued of stocks that the log, which begins later, does not tell: no event of it has changed them, so that
   * they were all the time what is archived now. @param archived the stock by ref; empty or absent: unlimited
   */
  judgeRest(archived: (ref: string) => string | undefined): void {
    for (const [ref, issued] of this.unjudged) {
      if (this.images.get(ref)?.has(PROMOTION_FIELDS.received.name)) continue;
      const received = wholeNumber(archived(ref));
      this.stock.require(
        received === undefined || issued <= received,
        () => `number ${issued} of ${received} of promotion ${ref} was issued`,
      );
    }
  }

  private apply(seq: number, write: Write): void {
    const image = this.images.get(write.id) ?? new Map<string, string>();
    this.images.set(write.id, image);
    applyWrite(image, write, seq);
  }

  private checkIssue(event: LedgerEvent, place: string): void {
    this.stock.count('coupons issued');
    const issued = issuedByRef(event);
    if (issued === undefined) this.stock.breach(`${place} issues no readable coupon`);
    for (const [ref, coupons] of issued ?? []) this.checkUnits(event, ref, coupons, place);
  }

  /** Each coupon takes exactly one unit, of a promotion that has one left. */
  private checkUnits(event: LedgerEvent, ref: string, coupons: number, place: string): void {
    const after = figure(event.writes, ref, PROMOTION_FIELDS.issued.name);
    const before = this.figureOf(ref, PROMOTION_FIELDS.issued.name);
    const received = this.figureOf(ref, PROMOTION_FIELDS.received.name);
    this.stock.require(after === (before ?? Number(after) - coupons) + coupons, () => {
      return `${place} counts promotion ${ref} from ${before} to ${after} issued`;
    });
    const isKnown = this.images.has(ref) || !this.isWhole;
    this.stock.require(isKnown, () => `${place} issues promotion ${ref}, which is not defined`);
    if (after === undefined) return;
    if (!this.images.get(ref)?.has(PROMOTION_FIELDS.received.name))
      this.unjudged.set(ref, Math.max(after, this.unjudged.get(ref) ?? 0));
    if (received === undefined) return;
    this.stock.require(
      after <= received,
      () => `${place} issues number ${after} of ${received} of promotion ${ref}`,
    );
  }

  /** A definition keeps the issued figure, and its stock is not below it. */
  private checkDefinition(event: LedgerEvent, place: string): void {
    this.stock.count('definitions');
    for (const write of event.writes) {
      if (write.target !== 'promotion') continue;
      const issued = figure([write], write.id, PROMOTION_FIELDS.issued.name) ?? 0;
      const before = this.figureOf(write.id, PROMOTION_FIELDS.issued.name) ?? (this.isWhole ? 0 : issued);
      this.stock.require(issued === before, () => {
        return `${place} changes the issued figure of promotion ${write.id} from ${before} to ${issued}`;
      });
    }
  }

  private figureOf(ref: string, name: string): number | undefined {
    return wholeNumber(this.images.get(ref)?.get(name));
  }
}

/** How many coupons of each promotion an event issues; undefined when it issues none, or one that cannot be read. */
function issuedByRef(event: LedgerEvent): Map<string, number> | undefined {
  const issued = new Map<string, number>();
  for (const { target, fields } of event.writes) {
    if (target !== 'wallet') continue;
    for (const { field, value } of fields) {
      if (field.length !== COUPON_FIELD_BYTES || value === undefined) continue;
      const ref = readRef(value);
      if (ref === undefined) return undefined;
      issued.set(ref, (issued.get(ref) ?? 0) + 1);
    }
  }
  return issued.size === 0 ? undefined : issued;
}

function readRef(value: Buffer): string | undefined {
  try {
    return String(decodeCouponValue(value).promotionRef);
  } catch {
    return undefined;
  }
}

function figure(writes: readonly Write[], ref: string, name: string): number | undefined {
  const write = writes.find(({ target, id }) => target === 'promotion' && id === ref);
  const found = write?.fields.find(({ field }) => field.toString('latin1') === name);
  return wholeNumber(found?.value?.toString('latin1'));
}

/** A figure in decimal; undefined when it is absent or empty, which means unlimited. */
function wholeNumber(text: string | undefined): number | undefined {
  return text === undefined || text === '' ? undefined : Number(text);
}
