/** I1 and I2: coupons against stock, counted one by one, in every partition and at every event. */
import type { Observer, SeenEvent, World } from '../state/replay.ts';
import type { Findings, Place } from '../violation.ts';
import type { CouponBook } from './coupon-book.ts';
import type { Definitions } from './definitions.ts';

const STOCK_FIELDS = { issued: 'issued', received: 'received', returned: 'returned' } as const;

/** A whole number in decimal; undefined when there is none, which for stock means unlimited. */
export function figureIn(text: string | undefined): number | undefined {
  return text === undefined || text === '' ? undefined : Number(text);
}

/** What was counted of a promotion in one partition. */
interface Counted {
  issued: number;
  /** Coupons whose unit went back to the stock. */
  returned: number;
}

/** Counts coupons of promotions and compares with what the ledger counts and allows. */
export class StockCheck implements Observer {
  private readonly findings: Findings;
  private readonly coupons: CouponBook;
  private readonly definitions: Definitions;
  private readonly partitions: number;
  private readonly counted = new Map<string, Counted>();

  constructor(findings: Findings, coupons: CouponBook, definitions: Definitions, partitions: number) {
    this.findings = findings;
    this.coupons = coupons;
    this.definitions = definitions;
    this.partitions = partitions;
  }

  see(event: SeenEvent, world: World): void {
    const { place } = event;
    for (const { ref } of this.coupons.justIssued) this.of(place, ref, world).issued += 1;
    const touched = new Set<string>(this.coupons.justIssued.map(({ ref }) => ref));
    for (const { target, id, fields } of event.writes) {
      if (target !== 'promotion') continue;
      if (fields.some(({ name }) => name in STOCK_FIELDS)) touched.add(id);
    }
    for (const ref of touched) this.compare(place, ref, world);
    for (const { ref, userId } of this.coupons.justIssued) this.checkIssue(place, ref, userId, world);
  }

  end(): void {
    for (const [ref, issued] of this.issuedByRef()) {
      const quantity = this.definitions.everInForce(ref)?.quantity;
      if (quantity !== undefined && issued > quantity) {
        const text = `all partitions together issued ${issued} coupons of promotion ${ref}, never more than ${quantity} were allowed`;
        this.findings.breach('I1', 'oversold-in-all', text, { places: this.lastIssues(ref) });
      }
    }
  }

  private issuedByRef(): Map<string, number> {
    const sums = new Map<string, number>();
    for (const [key, { issued, returned }] of this.counted) {
      const ref = key.split('/').at(-1) ?? '';
      sums.set(ref, (sums.get(ref) ?? 0) + issued - returned);
    }
    return sums;
  }

  private lastIssues(ref: string): Place[] {
    const places = [...this.coupons.issued].filter((coupon) => coupon.ref === ref).map(({ place }) => place);
    return places.slice(-2);
  }

  private of({ generation, partition }: Place, ref: string, world: World): Counted {
    const key = `${generation}/${partition}/${ref}`;
    const known = this.counted.get(key);
    if (known !== undefined) return known;
    // What was issued before this log began is taken as told; what is issued in it is counted.
    const told = figureIn(world.field('promotion', ref, STOCK_FIELDS.issued)) ?? 0;
    const inThisEvent = this.coupons.justIssued.filter((coupon) => coupon.ref === ref).length;
    const counted = { issued: world.isWhole ? 0 : told - inThisEvent, returned: 0 };
    this.counted.set(key, counted);
    return counted;
  }

  /** The ledger's own figures are those counted here. */
  private compare(place: Place, ref: string, world: World): void {
    const counted = this.of(place, ref, world);
    counted.returned = figureIn(world.field('promotion', ref, STOCK_FIELDS.returned)) ?? 0;
    const told = figureIn(world.field('promotion', ref, STOCK_FIELDS.issued)) ?? 0;
    const expected = counted.issued - (world.isWhole ? counted.returned : 0);
    this.findings.count('stock figures');
    if (told !== expected && world.isWhole) {
      const text = `promotion ${ref} counts ${told} issued, there were ${counted.issued}, of which ${counted.returned} went back`;
      this.findings.breach('I2', 'stock-miscounted', text, { places: [place] });
    }
  }

  /** A coupon was issued: there was a unit for it. */
  private checkIssue(place: Place, ref: string, userId: string, world: World): void {
    const allowed = this.definitions.inForce(place.partition, ref);
    const issued = figureIn(world.field('promotion', ref, STOCK_FIELDS.issued)) ?? 0;
    const received = figureIn(world.field('promotion', ref, STOCK_FIELDS.received));
    if (allowed === undefined && world.isWhole) {
      const text = `${userId} gets a coupon of promotion ${ref}, which the partition does not know`;
      this.findings.breach('I1', 'undefined-promotion', text, { places: [place] });
    }
    const bound = this.partitions === 1 ? (allowed?.quantity ?? received) : received;
    if (bound !== undefined && issued > bound) {
      const text = `${userId} gets coupon ${issued} of promotion ${ref}, of which there are ${bound}`;
      this.findings.breach('I1', 'oversold', text, { places: [place] });
    }
  }
}
