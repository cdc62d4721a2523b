/** I5: transactions of points come one after the other, once per reason, and sum to what the account holds. */
import {
  availablePoints,
  decodePointsState,
  NO_POINTS,
  type PointsState,
} from '../../../../src/domain/points.ts';
import { decodePointsEntry, type PointsEntry } from '../../../../src/domain/points-entry.ts';
import { ACCOUNT_FIELDS } from '../../../../src/ledger/record-fields.ts';
import type { Observer, SeenEvent, World } from '../state/replay.ts';
import type { Findings, Place } from '../violation.ts';

/** A transaction on its place. */
export interface SeenPoints extends PointsEntry {
  readonly place: Place;
}

/** Types of which one reference has one transaction at most. */
const ONCE_PER_REFERENCE: ReadonlySet<PointsEntry['type']> = new Set(['earn', 'spend', 'award']);

/** Follows accounts. */
export class PointsBook implements Observer {
  private readonly findings: Findings;
  private readonly byUser = new Map<string, SeenPoints[]>();
  private readonly references = new Map<string, Place>();

  constructor(findings: Findings) {
    this.findings = findings;
  }

  /** A user's transactions, the first one first. */
  entriesOf(userId: string): readonly SeenPoints[] {
    return this.byUser.get(userId) ?? [];
  }

  /** Everybody with transactions. */
  get users(): Iterable<string> {
    return this.byUser.keys();
  }

  see({ place, writes }: SeenEvent, world: World): void {
    for (const { target, id, fields } of writes) {
      if (target !== 'account') continue;
      const entry = fields.find(({ name }) => name === ACCOUNT_FIELDS.lastEntry.name)?.value;
      if (entry !== undefined) this.addEntry(place, id, entry);
      const isTouched = fields.some(({ name }) => name === ACCOUNT_FIELDS.points.name) || entry !== undefined;
      if (isTouched) this.compare(place, id, world);
    }
  }

  private addEntry(place: Place, userId: string, value: string): void {
    const entry = this.read(place, userId, () => decodePointsEntry(Buffer.from(value, 'latin1')));
    if (entry === undefined) return;
    const entries = this.byUser.get(userId) ?? [];
    this.byUser.set(userId, entries);
    const before = entries.at(-1);
    const evidence = { places: [before?.place, place] };
    this.findings.count('points transactions');
    // The first one of a log that does not reach back is taken as it comes.
    const number = before?.number ?? (place.generation > 1 ? entry.number - 1 : 0);
    const balance = before?.balanceAfter ?? (place.generation > 1 ? entry.balanceAfter - entry.points : 0);
    if (entry.number !== number + 1) {
      this.findings.breach(
        'I5',
        'points-order',
        `transaction ${entry.number} of ${userId} follows ${number}`,
        evidence,
      );
    }
    if (entry.balanceAfter !== balance + entry.points || entry.balanceAfter < 0) {
      const text = `${userId} has ${balance} points, gets ${entry.points}, and is left with ${entry.balanceAfter}`;
      this.findings.breach('I5', 'points-sum', text, evidence);
    }
    this.checkReference(place, userId, entry);
    entries.push({ ...entry, place });
  }

  private checkReference(
    place: Place,
    userId: string,
    { type, referenceType, referenceId }: PointsEntry,
  ): void {
    if (!ONCE_PER_REFERENCE.has(type) || referenceId === '') return;
    const key = `${userId} ${type} ${referenceType} ${referenceId}`;
    const before = this.references.get(key);
    if (before !== undefined) {
      const text = `${userId} has two transactions "${type}" for ${referenceType} ${referenceId}`;
      this.findings.breach('I5', 'points-doubled', text, { places: [before, place] });
    }
    this.references.set(key, place);
  }

  private compare(place: Place, userId: string, world: World): void {
    const value = world.field('account', userId, ACCOUNT_FIELDS.points.name);
    const state =
      value === undefined
        ? NO_POINTS
        : this.read(place, userId, () => decodePointsState(Buffer.from(value, 'latin1')));
    if (state === undefined) return;
    const balance =
      this.entriesOf(userId).at(-1)?.balanceAfter ?? (world.isWhole ? 0 : availablePoints(state));
    this.compareState(place, userId, state, balance);
  }

  private compareState(place: Place, userId: string, state: PointsState, balance: number): void {
    const available = availablePoints(state);
    if (available !== balance) {
      const text = `${userId} can spend ${available} points, the transactions come to ${balance}`;
      this.findings.breach('I5', 'points-lots', text, { places: [place] });
    }
    const isBroken =
      state.debt < 0 || (state.debt > 0 && available > 0) || state.lots.some(({ points }) => points < 0);
    if (isBroken) {
      const text = `${userId} has ${available} points and owes ${state.debt}`;
      this.findings.breach('I5', 'points-debt', text, { places: [place] });
    }
  }

  private read<Value>(place: Place, userId: string, decode: () => Value): Value | undefined {
    try {
      return decode();
    } catch {
      this.findings.breach('I6', 'unreadable-points', `points of ${userId} cannot be read`, {
        places: [place],
      });
      return undefined;
    }
  }
}
