/**
 * What partitions hold of shared quantities against what the pools say they lent (I1). Every figure only ever grows, and a unit
 * is granted by the pool before a partition hears of it, and noted as given back after: so the figures are read in that order,
 * and the check is right while all of them move.
 */
import { homePartition } from '../../ledger/keys.ts';
import { LEASE_PREFIX, PROMOTION_FIELDS, poolFields } from '../../ledger/record-fields.ts';
import type { LedgerAdmin } from '../ledger-port.ts';
import { Check, type CheckResult } from './check.ts';

type Fields = ReadonlyMap<string, Buffer>;

/** What a partition has of one quantity. */
interface Share {
  /** The counter it is about; empty: the coupons. */
  readonly counter: string;
  readonly granted: number;
  readonly back: number;
  readonly used: number;
}

/** Compares all pools with all shares; `admins` are those of the partitions in their order. Throws when one cannot be read. */
export async function checkLeases(admins: readonly LedgerAdmin[]): Promise<CheckResult> {
  const check = new Check('I1', 'what partitions hold was lent to them', ['shares']);
  for (const home of admins) {
    for (let cursor = '0'; ; ) {
      const page = await home.scanRecords('pool', cursor);
      for (const ref of new Set(page.ids)) await checkPool(check, admins, ref);
      cursor = page.cursor;
      if (cursor === '0') break;
    }
  }
  return check.result();
}

async function checkPool(check: Check, admins: readonly LedgerAdmin[], ref: string): Promise<void> {
  const home = admins[homePartition(Number(ref), admins.length)];
  if (home === undefined) return;
  const before = await readPool(home, ref);
  const shares = await Promise.all(admins.map((admin) => sharesIn(admin, ref)));
  const after = await readPool(home, ref);
  for (const [partition, own] of shares.entries()) {
    for (const share of own) checkShare(check, { ref, partition, share, before, after });
  }
}

interface Compared {
  readonly ref: string;
  readonly partition: number;
  readonly share: Share;
  readonly before: Fields;
  readonly after: Fields;
}

function checkShare(check: Check, { ref, partition, share, before, after }: Compared): void {
  const { counter, granted, back, used } = share;
  const names = poolFields(counter);
  const lent = numberIn(after, names.granted(partition).name);
  const noted = numberIn(before, names.back(partition).name);
  const what = `${counter === '' ? 'coupons' : `counter ${counter}`} of promotion ${ref}`;
  check.count('shares');
  check.require(noted <= back, () => {
    return `the pool has ${noted} ${what} back from partition ${partition}, which gave ${back}`;
  });
  // What was used before there was a limit was lent by nobody; nothing is free then.
  const isFree = granted - back > used;
  check.require(!isFree || granted <= lent, () => {
    return `partition ${partition} received ${granted} ${what}, the pool lent it ${lent}`;
  });
}

async function readPool(home: LedgerAdmin, ref: string): Promise<Fields> {
  const [fields = new Map()] = await home.readRecords('pool', [ref]);
  return fields;
}

async function sharesIn(admin: LedgerAdmin, ref: string): Promise<Share[]> {
  const [promotion, [usage = new Map<string, Buffer>()]] = await Promise.all([
    admin.readPromotionFields(Number(ref)),
    admin.readRecords('usage', [ref]),
  ]);
  return [...stockShare(promotion), ...useShares(usage)];
}

function stockShare(record: Fields): Share[] {
  const { received, granted, back, issued } = PROMOTION_FIELDS;
  if ((record.get(received.name)?.length ?? 0) === 0) return [];
  const of = (name: string): number => numberIn(record, name);
  return [{ counter: '', granted: of(granted.name), back: of(back.name), used: of(issued.name) }];
}

function useShares(record: Fields): Share[] {
  return [...record].flatMap(([name, value]) => {
    if (!name.startsWith(LEASE_PREFIX)) return [];
    const counter = name.slice(LEASE_PREFIX.length);
    const [granted = 0, back = 0] = value.toString('latin1').split('/').map(Number);
    return [{ counter, granted, back, used: Math.max(0, numberIn(record, counter)) }];
  });
}

function numberIn(fields: Fields, name: string): number {
  return Number(fields.get(name)?.toString('latin1') ?? 0);
}
