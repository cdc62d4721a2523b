/** I9 for orders: uses and money of promotions, added up from the orders, within limits and budgets. */
import type { Redemption } from '../../../../src/domain/redemption.ts';
import { leaseField, USAGE_FIELDS, userUsesField } from '../../../../src/ledger/record-fields.ts';
import type { Observer, SeenEvent, World } from '../state/replay.ts';
import type { Findings, Place } from '../violation.ts';
import type { Definitions } from './definitions.ts';
import type { OrderBook } from './order-book.ts';
import { figureIn } from './stock.ts';

interface Used {
  uses: number;
  moneyMinor: number;
}

function usesOf(head: Redemption | undefined): Redemption['promotions'] {
  if (head === undefined || head.state === 'released' || head.state === 'expired') return [];
  return head.promotions.filter(({ givenBack }) => !givenBack);
}

/** Adds up what orders use. */
export class UseLimitCheck implements Observer {
  private readonly findings: Findings;
  private readonly orders: OrderBook;
  private readonly definitions: Definitions;
  private readonly partitions: number;
  /** By generation, partition and ref; in all by ref; by user and ref. */
  private readonly used = new Map<string, Used>();

  constructor(findings: Findings, orders: OrderBook, definitions: Definitions, partitions: number) {
    this.findings = findings;
    this.orders = orders;
    this.definitions = definitions;
    this.partitions = partitions;
  }

  see({ place }: SeenEvent, world: World): void {
    for (const { before, after } of this.orders.justChanged) {
      const refs = new Set<string>();
      for (const { sign, head } of [
        { sign: -1, head: before?.head },
        { sign: 1, head: after.head },
      ]) {
        for (const { promotionRef, discountMinor } of usesOf(head)) {
          refs.add(String(promotionRef));
          for (const key of keysOf(place, after.userId, promotionRef)) this.add(key, sign, discountMinor);
        }
      }
      for (const ref of refs) this.check(place, after.userId, ref, world);
    }
  }

  /** Partitions have no common order, so what they use together is held to the limits when all is over. */
  end(): void {
    for (const [key, used] of this.used) {
      const [scope, ref = ''] = key.split('/');
      if (scope === 'all') this.boundAll(undefined, ref, used);
    }
  }

  private boundAll(place: Place | undefined, ref: string, { uses, moneyMinor }: Used): void {
    const allowed = this.definitions.everInForce(ref);
    this.bound(place, `uses of promotion ${ref}`, 'use-limit', uses, allowed?.usesTotal);
    this.bound(place, `minor units of promotion ${ref}`, 'budget', moneyMinor, allowed?.budgetMinor);
  }

  private of(key: string): Used {
    const used = this.used.get(key) ?? { uses: 0, moneyMinor: 0 };
    this.used.set(key, used);
    return used;
  }

  private add(key: string, sign: number, discountMinor: number): void {
    const used = this.of(key);
    used.uses += sign;
    used.moneyMinor += sign * discountMinor;
  }

  private check(place: Place, userId: string, ref: string, world: World): void {
    const [inPartition, inAll, byUser] = keysOf(place, userId, Number(ref)).map((key) => this.of(key));
    const allowed = this.definitions.everInForce(ref);
    this.findings.count('uses held to limits');
    if (this.partitions === 1 && inAll !== undefined) this.boundAll(place, ref, inAll);
    this.bound(
      place,
      `uses of promotion ${ref} by ${userId}`,
      'user-use-limit',
      byUser?.uses,
      allowed?.usesPerUser,
    );
    this.boundByLease(place, ref, inPartition, world);
    if (!world.isWhole) return;
    this.compare(
      place,
      `uses of promotion ${ref}`,
      inPartition?.uses,
      world.field('usage', ref, USAGE_FIELDS.uses.name),
    );
    this.compare(
      place,
      `money of promotion ${ref}`,
      inPartition?.moneyMinor,
      world.field('usage', ref, USAGE_FIELDS.money.name),
    );
    const userField = userUsesField(Number(ref)).toString('latin1');
    this.compare(
      place,
      `uses of promotion ${ref} by ${userId}`,
      byUser?.uses,
      world.field('account', userId, userField),
    );
  }

  /** With several partitions each counts up to what it was lent: `<granted>/<back>/<limit>`. */
  private boundByLease(place: Place, ref: string, used: Used | undefined, world: World): void {
    for (const [{ name }, seen] of [
      [USAGE_FIELDS.uses, used?.uses],
      [USAGE_FIELDS.money, used?.moneyMinor],
    ] as const) {
      const lease = world.field('usage', ref, leaseField(name).name);
      if (lease === undefined || !world.isWhole) continue;
      const [granted = 0, back = 0] = lease.split('/').map(Number);
      this.bound(
        place,
        `of counter ${name} of promotion ${ref} in one partition`,
        'lease',
        seen,
        granted - back,
      );
    }
  }

  private bound(
    place: Place | undefined,
    what: string,
    kind: string,
    seen: number | undefined,
    most: number | undefined,
  ): void {
    if (seen === undefined || (seen >= 0 && (most === undefined || seen <= most))) return;
    this.findings.breach('I9', kind, `${seen} ${what}, of ${most ?? 'any'} that may be`, { places: [place] });
  }

  private compare(place: Place, what: string, counted: number | undefined, told: string | undefined): void {
    if ((figureIn(told) ?? 0) === (counted ?? 0)) return;
    const text = `the ledger counts ${told ?? 0} ${what}, the orders come to ${counted ?? 0}`;
    this.findings.breach('I2', 'uses-miscounted', text, { places: [place] });
  }
}

function keysOf({ generation, partition }: Place, userId: string, ref: number): string[] {
  return [`${generation}/${partition}/${ref}`, `all/${ref}`, `user/${userId}/${ref}`];
}
