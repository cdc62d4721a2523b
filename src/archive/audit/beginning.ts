import type { Sql } from '../../database/client.ts';
import { decodeStreamEntry } from '../decoded-entry.ts';
import type { PartitionId } from '../ledger-port.ts';
import { readLogPayloads } from '../log-reader.ts';
import { readHoles } from '../rebuild/holes.ts';
import { readFirstLogged } from './check-log.ts';

/** From where on the log of a partition tells all. */
export interface Beginning {
  readonly firstSeq: number;
  /** Number of the log's first entry; undefined when it is empty. */
  readonly firstLogged: number | undefined;
  /** It tells all that ever happened; otherwise it begins with what there was. */
  readonly isWhole: boolean;
  readonly remarks: readonly string[];
  /** Holes after which the projections were not written anew. */
  readonly breaches: readonly string[];
}

/** Reads where the log begins to tell all: at its first entry, or where everything was carried over last. */
export async function readBeginning(sql: Sql, id: PartitionId): Promise<Beginning> {
  const holes = await readHoles(sql, id);
  const firstLogged = await readFirstLogged(sql, id);
  // What was carried over may have been detached since: then the log begins in the middle of things.
  const lastCarried = holes.at(-1)?.carriedSeq ?? -1;
  const carriedSeq = lastCarried >= (firstLogged ?? 0) ? lastCarried : undefined;
  const firstSeq = carriedSeq ?? firstLogged ?? 0;
  const isCarried =
    carriedSeq !== undefined || (firstSeq === 0 && (await beginsWithRecords(sql, id, firstSeq)));
  const lost = holes.filter(({ from, to }) => to >= from);
  return {
    firstSeq,
    isWhole: firstSeq === 0 && !isCarried,
    firstLogged,
    remarks: [
      ...lost.map(({ from, to, events }) => `entries ${from} to ${to} (${events} events) are in no log`),
      ...(isCarried ? [`from entry ${firstSeq} on the log carries everything the ledger held`] : []),
      ...(firstSeq > 0 && !isCarried ? [`the log starts at entry ${firstSeq}`] : []),
    ],
    breaches: lost
      .filter((hole) => hole.carriedSeq === undefined)
      .map(({ from, to }) => {
        return `entries ${from} to ${to} are in no log and the projections lack what they did: run "hongbao rebuild postgres"`;
      }),
  };
}

/** A generation that was made from another one begins with its records. */
async function beginsWithRecords(sql: Sql, id: PartitionId, firstSeq: number): Promise<boolean> {
  const [first] = await readLogPayloads(sql, id, firstSeq - 1, 1);
  if (first?.seq !== firstSeq) return false;
  const decoded = decodeStreamEntry(first);
  return decoded.kind === 'read' && decoded.entry.events[0]?.kind === 'carried';
}
