/** Replays the log of a partition, written anew from the description of the format: it shares no fold with the product. */
import {
  appliedValue,
  decodeEntry,
  type EventKind,
  type LedgerEntry,
  type TargetClass,
} from '../../../../src/ledger/event-format.ts';
import type { Place } from '../violation.ts';
import { type PartitionState, recordName, type StoredEntry } from './ledger-state.ts';

/** One field that an event wrote; value undefined: it was removed. Names and values are latin1 text. */
export interface SeenField {
  readonly name: string;
  readonly value: string | undefined;
}

/** One record that an event wrote. */
export interface SeenWrite {
  readonly target: TargetClass;
  readonly id: string;
  readonly fields: readonly SeenField[];
}

/** An event on its place. */
export interface SeenEvent {
  readonly place: Place;
  /** The ledger's own time of the decision, ms since the epoch. */
  readonly timeMs: number;
  readonly kind: EventKind;
  readonly writes: readonly SeenWrite[];
}

/** What the events so far made of the records of a partition. */
export class World {
  private readonly images = new Map<string, Map<string, string>>();
  /** False when the records had a life before this log, as after a rebuild. */
  readonly isWhole: boolean;

  constructor(isWhole: boolean) {
    this.isWhole = isWhole;
  }

  /** All records. */
  get records(): ReadonlyMap<string, ReadonlyMap<string, string>> {
    return this.images;
  }

  /** A record's field; undefined when it has none. */
  field(target: TargetClass, id: string, name: string): string | undefined {
    return this.images.get(recordName(target, id))?.get(name);
  }

  /** Carries a write out. */
  apply({ target, id, fields }: SeenWrite): void {
    const name = recordName(target, id);
    const image = this.images.get(name) ?? new Map<string, string>();
    this.images.set(name, image);
    for (const { name: field, value } of fields) {
      if (value === undefined) image.delete(field);
      else image.set(field, value);
    }
    if (image.size === 0) this.images.delete(name);
  }
}

/** Looks at events as they come. */
export interface Observer {
  /** An event, with everything it wrote carried out in `world`. */
  see(event: SeenEvent, world: World): void;
  /** All logs were seen. */
  end?(): void;
}

/** The entry, or what is wrong with it. */
export function readEntry({ payload }: StoredEntry): LedgerEntry | Error {
  try {
    return decodeEntry(payload);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The events of an entry; none when it cannot be read. */
export function eventsOf(
  { generation, partition }: Pick<PartitionState, 'generation' | 'partition'>,
  stored: StoredEntry,
): SeenEvent[] {
  const entry = readEntry(stored);
  if (entry instanceof Error) return [];
  return entry.events.map(({ kind, writes }, index) => ({
    place: { generation, partition, seq: stored.seq, index },
    timeMs: entry.timeMs,
    kind,
    writes: writes.map(({ target, id, fields }) => ({
      target,
      id,
      fields: fields.map(({ field, value }) => ({
        name: field.toString('latin1'),
        value: appliedValue(field, value, stored.seq)?.toString('latin1'),
      })),
    })),
  }));
}

/** Replays one log past the observers and answers with what it made. */
export function replay(state: PartitionState, observers: readonly Observer[]): World {
  const isWhole = state.generation === 1 && state.holes.length === 0 && (state.log[0]?.seq ?? 0) === 0;
  const world = new World(isWhole);
  for (const stored of state.log) {
    for (const event of eventsOf(state, stored)) {
      for (const write of event.writes) world.apply(write);
      for (const observer of observers) observer.see(event, world);
    }
  }
  return world;
}
