/** A ledger on paper: it writes entries as the scripts do and holds what they make, so that a checker can be tried on it. */
import {
  ENTRY_FORMAT,
  type EventKind,
  encodeEntry,
  type LedgerEvent,
  type TargetClass,
} from '../../../../src/ledger/event-format.ts';
import { SEQUENCE_FIELD } from '../../../../src/ledger/record-fields.ts';
import type { PartitionState, Records, StoredEntry } from '../state/ledger-state.ts';
import { eventsOf, World } from '../state/replay.ts';

/** New values of one record's fields; undefined removes a field. Names and values are latin1 text. */
export interface PaperWrite {
  readonly target: TargetClass;
  readonly id: string;
  readonly fields: Readonly<Record<string, string | undefined>>;
}

const EPOCH = 3;
/** Classes whose records carry the number of their last event. */
const NUMBERED: ReadonlySet<TargetClass> = new Set([
  'wallet',
  'promotion',
  'order',
  'account',
  'usage',
  'pool',
]);

/** A field that starts with the entry's number, which is filled in when it is applied. */
const MARK = '\0'.repeat(8);

/** One partition. */
export class PaperPartition {
  readonly number: number;
  readonly log: StoredEntry[] = [];
  readonly world = new World(true);
  private events = 0;

  constructor(number: number) {
    this.number = number;
  }

  /** A field of a record. */
  field(target: TargetClass, id: string, name: string): string | undefined {
    return this.world.field(target, id, name);
  }

  /** Writes an entry with one event. */
  write(timeMs: number, kind: EventKind, writes: readonly PaperWrite[]): void {
    this.events += 1;
    const seq = this.log.length;
    const event: LedgerEvent = { kind, writes: writes.map(writeOf) };
    const entry = { formatVersion: ENTRY_FORMAT, timeMs, eventsTotal: this.events, events: [event] };
    const stored = { seq, payload: encodeEntry(entry) };
    this.log.push(stored);
    for (const seen of eventsOf({ generation: 1, partition: this.number }, stored)) {
      for (const write of seen.writes) this.world.apply(write);
    }
  }

  /** The partition as the stores have it once everything is archived; the stream starts in the middle of the log. */
  state(): PartitionState {
    const last = this.log.at(-1);
    return {
      generation: 1,
      partition: this.number,
      log: [...this.log],
      cursor: last && { seq: last.seq, eventsTotal: this.events, epoch: EPOCH, payload: last.payload },
      holes: [],
      redis: {
        stream: this.log.slice(Math.floor(this.log.length / 2)),
        isOpen: true,
        records: copyOf(this.world.records, 'index:'),
      },
      archived: copyOf(this.world.records, 'due:'),
      quarantined: 0,
    };
  }
}

function writeOf({ target, id, fields }: PaperWrite): LedgerEvent['writes'][number] {
  const marked = NUMBERED.has(target) ? { [SEQUENCE_FIELD.name]: MARK, ...fields } : fields;
  return {
    target,
    id,
    fields: Object.entries(marked).map(([name, value]) => ({
      field: Buffer.from(name, 'latin1'),
      value: value === undefined ? undefined : Buffer.from(value, 'latin1'),
    })),
  };
}

/** A copy that tests may change, without the classes the store in question does not have. */
function copyOf(records: Records, without: string): Records {
  const kept = [...records].filter(([name]) => !name.startsWith(without));
  return new Map(kept.map(([name, image]) => [name, new Map(image)]));
}
