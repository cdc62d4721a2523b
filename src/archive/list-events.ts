/** Events of all logs as one list, newest first. */
import { type ArchivedEvent, type EventPosition, findEvents, type Scan } from './find-events.ts';
import type { PartitionId } from './ledger-port.ts';
import type { ArchivePlaces } from './places.ts';

/** An event and the log it is in. */
export interface ListedEvent extends ArchivedEvent {
  readonly partition: number;
}

/** The place of an event in the list: events of one millisecond are in the order of their logs. */
export type ListPosition = readonly [timeMs: number, partition: number, seq: number, eventIndex: number];

/** A page, and where the next one begins; absent at the end. A page may be short although more follows. */
export interface ListPage {
  readonly events: readonly ListedEvent[];
  readonly next: ListPosition | undefined;
}

/** What is looked for, and where. */
export interface ListScan extends Omit<Scan, 'id'> {
  readonly places: ArchivePlaces;
}

/** Before everything that ever was. */
const BEGINNING: ListPosition = [-1, 0, 0, 0];

/** Events of the logs, newest first; of a user only those in the user's log. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export async function listEvents(
  { places, ...scan }: ListScan,
  page: { readonly below: ListPosition | undefined; readonly limit: number },
): Promise<ListPage> {
  const { userId } = scan.filter;
  const ids = userId === undefined ? places.all : [places.ofUser(userId)];
  const parts = await Promise.all(ids.map((id) => partOf(scan, id, page)));
  const found = parts
    .flatMap(({ events }) => events)
    .sort((one, other) => order(placeOf(other), placeOf(one)));
  // Below this place a log has not been looked at.
  const known = parts
    .map(({ reached }) => reached)
    .reduce((one, other) => (order(one, other) > 0 ? one : other), BEGINNING);
  const events = found.filter((event) => order(placeOf(event), known) >= 0).slice(0, page.limit);
  const last = events.at(-1);
  if (events.length === page.limit && last !== undefined) return { events, next: placeOf(last) };
  return { events, next: known === BEGINNING ? undefined : known };
}

interface Part {
  readonly events: readonly ListedEvent[];
  readonly reached: ListPosition;
}

async function partOf(
  scan: Omit<Scan, 'id'>,
  id: PartitionId,
  { below, limit }: { readonly below: ListPosition | undefined; readonly limit: number },
): Promise<Part> {
  const { partition } = id;
  const { filter, ...place } = beginningOf(scan.filter, partition, below);
  const { events, next, reachedMs } = await findEvents({ ...scan, id, filter }, { ...place, limit });
  return {
    events: events.map((event) => ({ ...event, partition })),
    reached: next === undefined ? BEGINNING : [reachedMs, partition, ...next],
  };
}

/** Where a log is entered: at the very place in the log that tells it, by the time in the others. */
function beginningOf(
  filter: Scan['filter'],
  partition: number,
  below: ListPosition | undefined,
): { filter: Scan['filter']; below: EventPosition | undefined } {
  if (below === undefined) return { filter, below: undefined };
  const [timeMs, at, seq, index] = below;
  if (at === partition) return { filter, below: [seq, index] };
  // Of the same millisecond, logs with a lower number are still to come.
  const untilMs = Math.min(filter.untilMs ?? Number.POSITIVE_INFINITY, partition < at ? timeMs + 1 : timeMs);
  return { filter: { ...filter, untilMs }, below: undefined };
}

function placeOf({ timeMs, partition, seq, eventIndex }: ListedEvent): ListPosition {
  return [timeMs, partition, seq, eventIndex];
}

function order(one: ListPosition, other: ListPosition): number {
  for (const [index, value] of one.entries()) {
    const difference = value - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
