import type { LedgerEntry } from '../../ledger/event-format.ts';
import { LEASE_PREFIX } from '../../ledger/record-fields.ts';
import { applyWrite, type RecordImage } from './apply-write.ts';
import type { Check } from './check.ts';
import type { UseFigures } from './order-uses.ts';
import type { UserFold } from './user-fold.ts';

/** The usage records as the events made them, by ref in decimal. */
export class UsageFold {
  private readonly images = new Map<string, Map<string, string>>();
  /** Counters that left Redis: `<ref>/<name>`. */
  private readonly retired = new Set<string>();

  /** The records after the last entry added. */
  get records(): ReadonlyMap<string, RecordImage> {
    return this.images;
  }

  /** Adds the next entry. */
  add(seq: number, entry: LedgerEntry): void {
    for (const write of entry.events.flatMap((event) => event.writes)) {
      if (write.target !== 'usage') continue;
      const image = this.images.get(write.id) ?? new Map<string, string>();
      this.images.set(write.id, image);
      applyWrite(image, write, seq);
      for (const { field, value } of write.fields) {
        if (value === undefined) this.retired.add(`${write.id}/${field.toString('latin1')}`);
      }
    }
  }

  /** Is this counter gone although something was counted in it? */
  isRetired(ref: string, name: string): boolean {
    return this.retired.has(`${ref}/${name}`) && this.images.get(ref)?.has(name) !== true;
  }
}

/** Every counter of a promotion is what the orders make of it (I8), at the entry where both folds stand. */
export function checkUsage(check: Check, usage: UsageFold, counted: ReadonlyMap<number, UseFigures>): void {
  for (const [ref, image] of usage.records) {
    check.count('promotions used');
    for (const [name, text] of image) {
      if (name.startsWith(LEASE_PREFIX)) continue;
      const expected = counted.get(Number(ref))?.get(name) ?? 0;
      check.require(Number(text) === expected, () => {
        return `counter ${name} of promotion ${ref} is ${text}, the orders count ${expected}`;
      });
    }
  }
  for (const [ref, figures] of counted) {
    for (const [name, expected] of figures) {
      const isThere = usage.records.get(String(ref))?.has(name) === true;
      const isMissed = expected !== 0 && !isThere && !usage.isRetired(String(ref), name);
      check.require(!isMissed, () => `promotion ${ref} has no counter ${name}, the orders count ${expected}`);
    }
  }
}

const USER_FIELD = /^u[\s\S]{4}$/;

/** The uses each user's account counts are those of the user's orders. */
export function checkUserUses(check: Check, { accounts, uses }: UserFold): void {
  const counted = uses.byUser();
  for (const [userId, image] of accounts) {
    for (const [name, text] of image) {
      if (!USER_FIELD.test(name)) continue;
      const ref = Buffer.from(name, 'latin1').readUInt32BE(1);
      const expected = counted.get(userId)?.get(ref) ?? 0;
      check.require(Number(text) === expected, () => {
        return `the account of ${userId} counts ${text} uses of promotion ${ref}, the orders ${expected}`;
      });
    }
  }
}
