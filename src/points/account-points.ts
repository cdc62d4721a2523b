/** Points in the account's record: reading them, and the steps that change them. */
import {
  availablePoints,
  decodePointsState,
  encodePointsState,
  NO_POINTS,
  type PointsChange,
  type PointsState,
} from '../domain/points.ts';
import { encodePointsEntry, POINTS_ENTRY_TIME_OFFSET, type PointsEntry } from '../domain/points-entry.ts';
import { unchanged } from '../ledger/held-fields.ts';
import { ACCOUNT_FIELDS } from '../ledger/record-fields.ts';
import { accountOf, type Step } from '../ledger/transaction.ts';
import { REASON_LENGTH } from './limits.ts';

/** Fields of a record by name, as `reads.records` gives them. */
export type RecordMap = ReadonlyMap<string, Buffer>;

/** What a transaction says about itself; the rest of its entry follows from the change. */
export type EntryWords = Pick<PointsEntry, 'type' | 'reason' | 'referenceType' | 'referenceId'>;

/** The points of an account as read. Throws CorruptRecordError. */
export function pointsOf(account: RecordMap): PointsState {
  const bytes = account.get(ACCOUNT_FIELDS.points.name);
  return bytes === undefined ? NO_POINTS : decodePointsState(bytes);
}

/** The steps that make a change of the points as they were read, with its entry. */
export function changeSteps(
  userId: string,
  account: RecordMap,
  change: PointsChange,
  words: EntryWords,
): Step[] {
  const on = accountOf(userId);
  const entry = encodePointsEntry({
    ...words,
    number: change.state.number,
    points: change.points,
    balanceAfter: availablePoints(change.state),
    reason: reasonWithDebt(words.reason, change.debt).slice(0, REASON_LENGTH),
    atMs: 0,
  });
  return [
    unchanged(on, ACCOUNT_FIELDS.points.bytes, account),
    {
      kind: 'set',
      on,
      field: ACCOUNT_FIELDS.points.bytes,
      value: Buffer.from(encodePointsState(change.state)),
    },
    {
      kind: 'set',
      on,
      field: ACCOUNT_FIELDS.lastEntry.bytes,
      value: Buffer.from(entry),
      times: [{ offset: POINTS_ENTRY_TIME_OFFSET, plusMs: 0 }],
    },
  ];
}

/** An entry shows what can be spent; what went into a debt or became one is said in words, so that the sums explain themselves. */
function reasonWithDebt(reason: string, debt: number): string {
  if (debt === 0) return reason;
  const words = debt > 0 ? `${debt} points are owed` : `${-debt} points paid a debt`;
  return reason === '' ? words : `${reason} (${words})`;
}
