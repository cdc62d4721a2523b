import { availablePoints, decodePointsState, NO_POINTS, type PointsState } from '../../domain/points.ts';
import { decodePointsEntry, type PointsEntry } from '../../domain/points-entry.ts';
import type { Write } from '../../ledger/event-format.ts';
import { ACCOUNT_FIELDS } from '../../ledger/record-fields.ts';
import type { RecordImage } from './apply-write.ts';
import type { Check } from './check.ts';

interface Account {
  readonly balance: number;
  readonly number: number;
  /** Transactions seen in the log. */
  readonly count: number;
  readonly sum: number;
}

/**
 * I5: what a user can spend is what the lots hold and what all transactions brought, never below zero. After every event that
 * touches points there is one transaction more, it goes on from the last one, and its balance is that of the lots.
 */
export class PointsCheck {
  private readonly points: Check;
  private readonly accounts: ReadonlyMap<string, RecordImage>;
  private readonly isWhole: boolean;
  private readonly known = new Map<string, Account>();

  constructor(points: Check, accounts: ReadonlyMap<string, RecordImage>, isWhole: boolean) {
    this.points = points;
    this.accounts = accounts;
    this.isWhole = isWhole;
  }

  /** What the user's transactions in the log came to. */
  transactionsOf(userId: string): { readonly count: number; readonly sum: number } {
    const { count, sum } = this.known.get(userId) ?? { count: 0, sum: 0 };
    return { count, sum };
  }

  /** Looks at the accounts an event touched, with `writes` already carried out on the images. */
  check(writes: readonly Write[], place: string): void {
    for (const { target, id, fields } of writes) {
      if (target !== 'account') continue;
      const names = fields
        .filter(({ value }) => value !== undefined)
        .map(({ field }) => field.toString('latin1'));
      if (names.includes(ACCOUNT_FIELDS.lastEntry.name)) this.checkEntry(id, place);
      else if (names.includes(ACCOUNT_FIELDS.points.name))
        this.checkBalance(id, this.known.get(id)?.balance, place);
    }
  }

  private checkEntry(userId: string, place: string): void {
    this.points.count('points transactions');
    const entry = this.readEntry(userId);
    if (entry === undefined) {
      this.points.breach(`${place} writes a points transaction of ${userId} that cannot be read`);
      return;
    }
    const start = this.isWhole ? 0 : entry.number - 1;
    const before = this.known.get(userId) ?? {
      balance: this.isWhole ? 0 : entry.balanceAfter - entry.points,
      number: start,
      count: 0,
      sum: 0,
    };
    this.points.require(entry.number === before.number + 1, () => {
      return `${place} is points transaction ${entry.number} of ${userId}, after ${before.number}`;
    });
    this.points.require(entry.balanceAfter === before.balance + entry.points, () => {
      return `${place} takes the points of ${userId} from ${before.balance} by ${entry.points} to ${entry.balanceAfter}`;
    });
    this.known.set(userId, {
      balance: entry.balanceAfter,
      number: entry.number,
      count: before.count + 1,
      sum: before.sum + entry.points,
    });
    this.checkBalance(userId, entry.balanceAfter, place);
  }

  private checkBalance(userId: string, balance: number | undefined, place: string): void {
    const state = this.readState(userId);
    if (state === undefined) {
      this.points.breach(`${place} leaves points of ${userId} that cannot be read`);
      return;
    }
    const lots = availablePoints(state);
    const isUnknown = balance === undefined && !this.isWhole;
    this.points.require(isUnknown || lots === (balance ?? 0), () => {
      return `${place} leaves ${userId} lots of ${lots} points, the transactions say ${balance ?? 0}`;
    });
    this.points.require(state.debt === 0 || lots === 0, () => {
      return `${place} leaves ${userId} with ${lots} points and a debt of ${state.debt}`;
    });
  }

  private readEntry(userId: string): PointsEntry | undefined {
    const bytes = this.accounts.get(userId)?.get(ACCOUNT_FIELDS.lastEntry.name);
    return bytes === undefined
      ? undefined
      : readOrNothing(() => decodePointsEntry(Buffer.from(bytes, 'latin1')));
  }

  private readState(userId: string): PointsState | undefined {
    const bytes = this.accounts.get(userId)?.get(ACCOUNT_FIELDS.points.name);
    return bytes === undefined
      ? NO_POINTS
      : readOrNothing(() => decodePointsState(Buffer.from(bytes, 'latin1')));
  }
}

function readOrNothing<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
